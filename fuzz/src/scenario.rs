//! Lists whose rows are known: the input decides about rows, damage, pages and
//! flags.

use arbitrary::Arbitrary;
use bytes::Bytes;
use customer_gateway::vendors::VendorRequest;
use http::Response;

use crate::{
    damage::{Damage, FIELDS},
    rows::{CORPORATION, Layout, TOLT},
    vendor::parameter,
};

/// Largest number of rows.
const MAX_ROWS: usize = 150;

/// A list of a vendor, and a walk through it.
#[derive(Debug, Arbitrary)]
pub struct Scenario {
    is_tolt: bool,
    rows: Vec<Row>,
    page_size: u8,
    flag: Flag,
    total: Total,
    limit: u8,
    pub raw: bool,
    /// The corporation vendor ends the list after this many pages.
    ends_after: Option<u8>,
    /// Direction of `order`, which only the corporation vendor's rows get.
    order: Option<bool>,
}

#[derive(Debug, Arbitrary)]
struct Row {
    kind: Kind,
    fields: Vec<(u8, Damage)>,
}

/// Kind of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Arbitrary)]
pub enum Kind {
    Good,
    NumericId,
    Null,
    NotAnObject,
    NoId,
    UnreadableId,
    Foreign,
}

/// Form of Tolt's `has_more`.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum Flag {
    Bool,
    Number,
    Text,
    Inside,
    Missing,
    Garbage,
}

/// Form of the total.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum Total {
    Number,
    Text,
    Missing,
    Garbage,
}

impl Scenario {
    pub fn layout(&self) -> Layout {
        if self.is_tolt { TOLT } else { CORPORATION }
    }

    /// Returns the kinds of the rows.
    pub fn kinds(&self) -> Vec<Kind> {
        self.rows.iter().take(MAX_ROWS).map(|row| row.kind).collect()
    }

    /// Returns the gateway ids of the rows to serve, from those the vendor sends.
    pub fn served(&self) -> Vec<String> {
        let kinds = self.kinds();
        let kinds = kinds.iter().take(self.sent()).enumerate();
        kinds.filter(|(_, kind)| kind.is_served()).map(|(at, kind)| format!("odd.{}", kind.id(at))).collect()
    }

    /// Returns the number of rows that the vendor sends. The others are missing.
    pub fn sent(&self) -> usize {
        let all = self.kinds().len();
        match self.ends_after {
            Some(pages) if !self.is_tolt => all.min((usize::from(pages) % 4 + 1) * self.page_size()),
            _ => all,
        }
    }

    /// Returns true if the vendor states a total above the number of its rows.
    pub fn is_short(&self) -> bool {
        self.sent() < self.kinds().len() && matches!(self.total, Total::Number | Total::Text)
    }

    /// Returns true if the vendor hides the end of the list from every reader.
    pub fn is_undetectable(&self) -> bool {
        self.sent() < self.kinds().len() && !self.is_short()
    }

    /// Returns true if a page of Tolt's may have no id to continue from.
    pub fn may_lose_its_place(&self) -> bool {
        let kinds = self.kinds();
        self.is_tolt && kinds.iter().any(|kind| !kind.has_id())
    }

    pub fn is_sorted(&self) -> bool {
        self.order.is_some() && !self.is_tolt
    }

    pub fn target(&self) -> String {
        let raw = if self.raw { "&include=raw" } else { "" };
        format!("/customers?limit={}{raw}{}", u32::from(self.limit) % 100 + 1, self.order())
    }

    pub fn order(&self) -> &'static str {
        match self.order.filter(|_| self.is_sorted()) {
            Some(true) => "&order=asc",
            Some(false) => "&order=desc",
            None => "",
        }
    }

    /// Returns the vendor's response to a request.
    pub fn respond(&self, request: &VendorRequest) -> Response<Bytes> {
        let kinds = self.kinds();
        let position = |id: &str| (0..kinds.len()).find(|&at| kinds[at].has_id() && kinds[at].id(at) == *id);
        let size = self.page_size();
        let (from, to) = if let Some(id) = parameter(request, "starting_after") {
            let from = position(&id).map_or(0, |at| at + 1);
            (from, (from + size).min(kinds.len()))
        } else if let Some(id) = parameter(request, "ending_before") {
            let to = position(&id).unwrap_or(0);
            (to.saturating_sub(size), to)
        } else {
            let token = parameter(request, "cursor").and_then(|token| token.parse::<usize>().ok());
            let from = token.unwrap_or(0);
            (from, (from + size).min(self.sent()))
        };
        let is_backward = parameter(request, "ending_before").is_some();
        let more = if is_backward { from > 0 } else { to < self.sent() };
        Response::new(self.page(from, to, more).into())
    }

    fn page_size(&self) -> usize {
        usize::from(self.page_size) % 100 + 1
    }

    fn page(&self, from: usize, to: usize, more: bool) -> Vec<u8> {
        let rows: Vec<_> = (from..to).map(|at| self.row(at)).collect();
        let rows = rows.join(&b","[..]);
        let count = self.kinds().len();
        let total = |name: &str| match self.total {
            Total::Number => format!("\"{name}\":{count},"),
            Total::Text => format!("\"{name}\":\"{count}\","),
            Total::Missing => String::new(),
            Total::Garbage => format!("\"{name}\":[],"),
        };
        let (head, tail) = if self.is_tolt {
            let flag = match (self.flag, more) {
                (Flag::Bool | Flag::Inside, more) => format!("\"has_more\":{more},"),
                (Flag::Number, more) => format!("\"has_more\":{},", u8::from(more)),
                (Flag::Text, more) => format!("\"has_more\":\"{more}\","),
                (Flag::Missing, _) => String::new(),
                (Flag::Garbage, _) => "\"has_more\":\"perhaps\",".to_owned(),
            };
            let total = total("total_count");
            match self.flag {
                Flag::Inside => (format!("{{\"data\":{{{flag}{total}\"data\":["), "]}}".to_owned()),
                _ => (format!("{{\"success\":true,{flag}{total}\"data\":{{\"data\":["), "]}}".to_owned()),
            }
        } else {
            let cursor = if more { format!("\"cursor\":\"{to}\",") } else { String::new() };
            let total = total("total_customers");
            match self.flag {
                Flag::Inside => (format!("{{{cursor}{total}\"customers\":["), "]}".to_owned()),
                Flag::Text => (format!("{{{cursor}\"data\":{{{total}\"customers\":["), "]}}".to_owned()),
                _ => (format!("{{\"data\":{{{cursor}{total}\"customers\":["), "]}}".to_owned()),
            }
        };
        [head.as_bytes(), &rows, tail.as_bytes()].concat()
    }

    fn row(&self, at: usize) -> Vec<u8> {
        let Row { kind, fields } = &self.rows[at];
        let key = self.layout().account_key;
        let account = if *kind == Kind::Foreign { "another" } else { self.layout().account };
        let mut row = match kind {
            Kind::Null => return b"null".to_vec(),
            Kind::NotAnObject => return b"\"text\"".to_vec(),
            Kind::NoId => format!("{{\"{key}\":\"{account}\""),
            Kind::UnreadableId => format!("{{\"id\":[],\"{key}\":\"{account}\""),
            Kind::NumericId => format!("{{\"id\":{},\"{key}\":\"{account}\"", kind.id(at)),
            Kind::Good | Kind::Foreign => format!("{{\"id\":\"{}\",\"{key}\":\"{account}\"", kind.id(at)),
        }
        .into_bytes();
        for (name, damage) in fields.iter().take(8) {
            row.extend_from_slice(format!(",\"{}\":", FIELDS[usize::from(*name) % FIELDS.len()]).as_bytes());
            damage.write(&mut row);
        }
        row.push(b'}');
        row
    }
}

impl Kind {
    /// Returns the vendor's id of the row at an index.
    fn id(self, at: usize) -> String {
        match self {
            Self::NumericId => format!("1844674407370955{at:04}"),
            _ => format!("cust_{at}"),
        }
    }

    pub fn is_served(self) -> bool {
        matches!(self, Self::Good | Self::NumericId)
    }

    pub fn has_id(self) -> bool {
        self.is_served() || self == Self::Foreign
    }
}
