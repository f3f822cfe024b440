//! Whole lists as one stream: `application/x-ndjson` and `text/csv`.
//!
//! What a paged walk says is the oracle throughout. Waits follow a clock that
//! the tests move; nothing is asserted of how long anything takes.

mod accept;
mod columns;
mod flow;
mod memory;
mod refusals;
mod resume;
mod rows;
mod trouble;
mod turns;

use std::{collections::BTreeMap, pin::pin, time::Duration};

use customer_gateway::{config::Config, sandbox::Sandbox};
use reqwest::{Response, header::ACCEPT};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::support::{Answer, Gateway, ScriptedVendor, config, connections_to, sandbox};

const NDJSON: &str = "application/x-ndjson";
const CSV: &str = "text/csv";

/// Vendors and a gateway in front of them.
struct Stage {
    sandbox: Sandbox,
    gateway: Gateway,
}

/// A whole export as lines of JSON.
#[derive(Debug)]
struct Export {
    /// The rows as they were sent.
    rows: Vec<String>,
    marks: Vec<Value>,
}

/// A whole export as comma-separated values: each row by its columns' names.
#[derive(Debug)]
struct Table {
    columns: Vec<String>,
    rows: Vec<BTreeMap<String, String>>,
}

impl Stage {
    /// Three pages of customers at each vendor, two of transactions.
    async fn set() -> Self {
        Self::configured(|_| {}).await
    }

    async fn configured(change: impl FnOnce(&mut Config)) -> Self {
        let sandbox = sandbox(250, 130, 230).await;
        let mut config = config(connections_to(&sandbox));
        change(&mut config);
        Self { gateway: Gateway::start(config).await, sandbox }
    }

    /// How many calls Tolt and the corporation vendor have seen.
    fn calls(&self) -> [u64; 2] {
        [self.sandbox.tolt().calls(), self.sandbox.corporation().calls()]
    }
}

impl Gateway {
    /// Asks for a list as a media type, and reads the answer to its end.
    async fn get_as_type(&self, target: &str, accept: &str) -> Answer {
        self.request(|client, url| client.get(format!("{url}{target}")).header(ACCEPT, accept)).await
    }

    async fn export(&self, target: &str) -> Export {
        let answer = self.get_as_type(target, NDJSON).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, NDJSON), "{}", answer.text);
        Export::read(&answer.text)
    }

    async fn export_csv(&self, target: &str) -> Table {
        let answer = self.get_as_type(target, CSV).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        Table::read(&answer.text)
    }

    /// An export whose waits are over at once: the clock runs as long as it
    /// lasts.
    async fn export_through_waits(&self, target: &str) -> Export {
        let mut exporting = pin!(self.export(target));
        loop {
            tokio::select! {
                export = &mut exporting => return export,
                () = tokio::time::sleep(Duration::from_millis(1)) => self.clock.advance(Duration::from_millis(100)),
            }
        }
    }

    /// The records of a paged walk, as they were sent.
    async fn walked(&self, target: &str) -> Vec<String> {
        #[derive(Deserialize)]
        struct Page<'p> {
            #[serde(borrow)]
            data: Vec<&'p RawValue>,
            page: Value,
        }
        let separator = if target.contains('?') { '&' } else { '?' };
        let mut rows = Vec::new();
        let mut cursor = String::new();
        loop {
            let answer = self.get(&format!("{target}{separator}limit=100{cursor}")).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            let page: Page<'_> = serde_json::from_str(&answer.text).unwrap();
            rows.extend(page.data.iter().map(|row| row.get().to_owned()));
            match page.page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }
}

impl Export {
    /// Reads the whole lines of a stream; what follows them was broken off.
    fn read(text: &str) -> Self {
        let lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        let (mut rows, mut marks) = (Vec::new(), Vec::new());
        for line in lines {
            let json: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            match json.get("export") {
                Some(mark) => marks.push(mark.clone()),
                None => rows.push(line.to_owned()),
            }
        }
        Self { rows, marks }
    }

    /// The last mark.
    fn end(&self) -> &Value {
        self.marks.last().unwrap()
    }

    /// The cursor of the last mark.
    fn cursor(&self) -> &str {
        self.end()["cursor"].as_str().unwrap()
    }

    /// The rows of an export that came to its end.
    fn complete(self) -> Vec<String> {
        assert_eq!(self.end()["status"], "complete", "{}", self.end());
        assert_eq!(self.end()["count"], self.rows.len());
        assert!(self.end()["cursor"].is_null());
        self.rows
    }
}

impl Table {
    fn read(text: &str) -> Self {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let columns = reader.headers().unwrap().iter().map(str::to_owned).collect();
        Self { columns, rows: reader.deserialize().map(Result::unwrap).collect() }
    }

    /// The rows of the list: one without an id is a mark and nothing else.
    fn list(&self) -> Vec<&BTreeMap<String, String>> {
        self.rows.iter().filter(|row| !row["id"].is_empty()).collect()
    }

    fn ids(&self) -> Vec<String> {
        self.list().iter().map(|row| row["id"].clone()).collect()
    }

    /// The last row that is marked.
    fn end(&self) -> &BTreeMap<String, String> {
        self.rows.iter().rev().find(|row| !row["export.status"].is_empty()).unwrap()
    }
}

/// An export that is read piece by piece.
struct Reader {
    response: Response,
    text: String,
}

impl Reader {
    async fn open(gateway: &Gateway, target: &str) -> Self {
        let request = reqwest::Client::new().get(format!("{}{target}", gateway.url)).header(ACCEPT, NDJSON);
        Self { response: request.send().await.unwrap(), text: String::new() }
    }

    /// Reads on until so many marks have come.
    async fn read_marks(&mut self, marks: usize) {
        while self.text.matches("{\"export\":").count() < marks {
            let chunk = self.response.chunk().await.unwrap().expect("the export goes on");
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Reads to the end.
    async fn finish(mut self) -> Export {
        while let Some(chunk) = self.response.chunk().await.unwrap() {
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        Export::read(&self.text)
    }
}

/// The ids of rows.
fn ids(rows: &[String]) -> Vec<String> {
    rows.iter().map(|row| serde_json::from_str::<Value>(row).unwrap()["id"].as_str().unwrap().to_owned()).collect()
}

/// A gateway over a vendor that is asked page by page, and knows by the
/// question which one is meant.
fn page_asked(target: &str, rows: usize) -> usize {
    let after = target.split(['?', '&']).find_map(|pair| pair.strip_prefix("starting_after=row_"));
    after.map_or(0, |row| (row.parse::<usize>().unwrap() + 1) / rows)
}

/// A gateway over one scripted vendor, as if it were Tolt.
async fn over(vendor: &ScriptedVendor) -> Gateway {
    vendor.gateway("tolt").await
}
