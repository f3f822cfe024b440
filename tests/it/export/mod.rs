//! Lists as streams: `application/x-ndjson` and `text/csv`.
//!
//! The expected rows are those of a paged walk. Waits follow a clock that the
//! tests move. No test asserts a duration.

mod accept;
mod columns;
mod failures;
mod flow;
mod marks;
mod memory;
mod priority;
mod refusals;
mod resume;
mod rows;

use std::{collections::BTreeMap, pin::pin, time::Duration};

use reqwest::{Response, header::ACCEPT};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::support::{Answer, Gateway, ScriptedVendor, StageBuilder, sandbox};

const NDJSON: &str = "application/x-ndjson";
const CSV: &str = "text/csv";

/// An NDJSON export that was read to its end.
#[derive(Debug)]
struct Export {
    /// The rows as sent.
    rows: Vec<String>,
    checkpoints: Vec<Value>,
}

/// A CSV export that was read to its end: each row by column name.
#[derive(Debug)]
struct Table {
    columns: Vec<String>,
    rows: Vec<BTreeMap<String, String>>,
}

/// Returns a stage with three pages of customers at each vendor, and two pages
/// of transactions.
fn stage() -> StageBuilder<'static> {
    StageBuilder::new(sandbox(250, 130, 230))
}

impl Gateway {
    /// Fetches a list as a media type, and reads the response to its end.
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

    /// Exports a list while the clock advances, so waits end at once.
    async fn export_through_waits(&self, target: &str) -> Export {
        let mut exporting = pin!(self.export(target));
        loop {
            tokio::select! {
                export = &mut exporting => return export,
                () = tokio::time::sleep(Duration::from_millis(1)) => self.clock.advance(Duration::from_millis(100)),
            }
        }
    }

    /// Returns the records of a paged walk, as sent.
    async fn paged_walk(&self, target: &str) -> Vec<String> {
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
    /// Reads the complete lines of a stream, and ignores a truncated last line.
    fn read(text: &str) -> Self {
        let lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        let (mut rows, mut checkpoints) = (Vec::new(), Vec::new());
        for line in lines {
            let json: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            match json.get("export") {
                Some(checkpoint) => checkpoints.push(checkpoint.clone()),
                None => rows.push(line.to_owned()),
            }
        }
        Self { rows, checkpoints }
    }

    /// Returns the last checkpoint.
    fn last_checkpoint(&self) -> &Value {
        self.checkpoints.last().unwrap()
    }

    /// Returns the cursor of the last checkpoint.
    fn cursor(&self) -> &str {
        self.last_checkpoint()["cursor"].as_str().unwrap()
    }

    /// Returns the rows of a complete export.
    fn complete(self) -> Vec<String> {
        assert_eq!(self.last_checkpoint()["status"], "complete", "{}", self.last_checkpoint());
        assert_eq!(self.last_checkpoint()["count"], self.rows.len());
        assert!(self.last_checkpoint()["cursor"].is_null());
        self.rows
    }
}

impl Table {
    fn read(text: &str) -> Self {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let columns = reader.headers().unwrap().iter().map(str::to_owned).collect();
        Self { columns, rows: reader.deserialize().map(Result::unwrap).collect() }
    }

    /// Returns the rows of the list. A row without an id is only a checkpoint.
    fn list(&self) -> Vec<&BTreeMap<String, String>> {
        self.rows.iter().filter(|row| !row["id"].is_empty()).collect()
    }

    fn ids(&self) -> Vec<String> {
        self.list().iter().map(|row| row["id"].clone()).collect()
    }

    /// Returns the last row with a checkpoint.
    fn last_checkpoint(&self) -> &BTreeMap<String, String> {
        self.rows.iter().rev().find(|row| !row["export.status"].is_empty()).unwrap()
    }
}

/// An export that is read chunk by chunk.
struct Reader {
    response: Response,
    text: String,
}

impl Reader {
    async fn open(gateway: &Gateway, target: &str) -> Self {
        let request = reqwest::Client::new().get(format!("{}{target}", gateway.url)).header(ACCEPT, NDJSON);
        Self { response: request.send().await.unwrap(), text: String::new() }
    }

    /// Reads until this many checkpoints have arrived.
    async fn read_checkpoints(&mut self, checkpoints: usize) {
        while self.text.matches("{\"export\":").count() < checkpoints {
            let chunk = self.response.chunk().await.unwrap().expect("the export continues");
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

/// Returns the ids of rows.
fn ids(rows: &[String]) -> Vec<String> {
    rows.iter().map(|row| serde_json::from_str::<Value>(row).unwrap()["id"].as_str().unwrap().to_owned()).collect()
}

/// Returns the index of the page that a request asks for, from the row id in
/// its anchor.
fn requested_page(target: &str, rows: usize) -> usize {
    let after = target.split(['?', '&']).find_map(|pair| pair.strip_prefix("starting_after=row_"));
    after.map_or(0, |row| (row.parse::<usize>().unwrap() + 1) / rows)
}

/// Starts a gateway in front of one scripted vendor, as a Tolt connection.
async fn gateway_for(vendor: &ScriptedVendor) -> Gateway {
    vendor.gateway("tolt").await
}
