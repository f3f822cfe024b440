//! The rows of a vendor response, by the independent reader.

use crate::json::Json;

/// Maximum number of rows in a list that the gateway reads.
const MAX_ROWS: usize = 1_000;

/// Rows that a response contains.
#[derive(Debug, Default)]
pub struct Rows {
    /// The rows to serve, in order.
    pub served: Vec<Id>,
    /// The objects of these rows.
    pub objects: Vec<Json>,
    /// Rows without content or without an id.
    pub unreadable: usize,
    /// Rows of another account.
    pub foreign: usize,
    /// Rows of lists beside the list that counts.
    pub shadowed: usize,
    /// True if an object of the response repeats a name.
    pub repeats_a_name: bool,
}

/// The id of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Id {
    /// This text.
    Exact(String),
    /// A number whose text the gateway chooses.
    Number,
}

/// Layout of a vendor's responses.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Names of the lists, from the outside to the inside.
    pub vendor: &'static str,
    /// Name of the row's account.
    pub account_key: &'static str,
    /// The account of the connection.
    pub account: &'static str,
}

pub const TOLT: Layout = Layout { vendor: "tolt", account_key: "program_id", account: "prg_YRsbPDAKhWfdqJbFACheh" };
pub const CORPORATION: Layout = Layout { vendor: "corporation", account_key: "corporation_id", account: "corp_123" };

impl Rows {
    /// Returns true if the gateway reads a list of this length.
    pub fn fit_into_a_list(&self) -> bool {
        self.served.len() + self.unreadable + self.foreign <= MAX_ROWS
    }
}

impl Layout {
    /// Returns the rows of a list. `None` if the response has no list.
    pub fn rows(&self, document: &Json) -> Option<Rows> {
        let (list, others) = if self.vendor == "tolt" { tolt_list(document)? } else { corporation_list(document)? };
        let mut rows = Rows { repeats_a_name: document.repeats_a_name(), ..Rows::default() };
        for element in list {
            match self.row(element) {
                Row::Served(id) => {
                    rows.served.push(id);
                    rows.objects.push(element.clone());
                }
                Row::Foreign => rows.foreign += 1,
                Row::Unreadable => rows.unreadable += 1,
            }
        }
        rows.shadowed = others.iter().map(|list| list.len()).sum();
        Some(rows)
    }

    /// Returns the id of a single row, if it is readable and of the account.
    pub fn single(&self, document: &Json) -> Option<Id> {
        let data = document.get("data");
        let row = match data {
            Some(Json::List(rows)) if self.vendor == "tolt" && rows.len() <= MAX_ROWS => {
                let mut rows = rows.iter().filter(|row| **row != Json::Null);
                rows.next().filter(|_| rows.next().is_none())?
            }
            Some(row @ Json::Object(_)) => row,
            // The corporation vendor's document may be the row itself.
            None | Some(Json::Null) if self.vendor == "corporation" => document,
            _ => return None,
        };
        match self.row(row) {
            Row::Served(id) => Some(id),
            Row::Foreign | Row::Unreadable => None,
        }
    }

    fn row(&self, row: &Json) -> Row {
        let id = row.get("id").and_then(id);
        let account = match row.get(self.account_key) {
            None | Some(Json::Null) => None,
            Some(Json::Text(text)) if text.is_empty() => None,
            Some(Json::Text(text)) if text.contains(char::REPLACEMENT_CHARACTER) => return Row::Unreadable,
            Some(Json::Text(text) | Json::Number(text)) => Some(text),
            Some(_) => return Row::Unreadable,
        };
        match (id, account) {
            (None, _) => Row::Unreadable,
            (Some(id), None) => Row::Served(id),
            (Some(id), Some(account)) if account == self.account => Row::Served(id),
            (Some(_), Some(_)) => Row::Foreign,
        }
    }
}

enum Row {
    Served(Id),
    Foreign,
    Unreadable,
}

fn id(value: &Json) -> Option<Id> {
    match value {
        Json::Text(text) if !text.is_empty() => Some(Id::Exact(text.clone())),
        Json::Number(number) if number == "-0" || number.contains(['.', 'e', 'E']) => Some(Id::Number),
        Json::Number(number) => Some(Id::Exact(number.clone())),
        _ => None,
    }
}

type Lists<'j> = (&'j [Json], Vec<&'j [Json]>);

/// Returns the list in `data.data` or `data`, and the lists of replaced members.
fn tolt_list(document: &Json) -> Option<Lists<'_>> {
    let lists: Vec<_> = document
        .all("data")
        .flat_map(|data| data.list().into_iter().chain(data.all("data").filter_map(Json::list)))
        .collect();
    let data = document.get("data")?;
    let list = data.list().or_else(|| data.get("data")?.list())?;
    Some((list, without(lists, list)))
}

/// Returns the list `customers` in `data` or beside it, and the other lists.
fn corporation_list(document: &Json) -> Option<Lists<'_>> {
    if !matches!(document, Json::Object(_)) {
        return None;
    }
    let data = match document.get("data") {
        None | Some(Json::Null) => None,
        Some(data @ Json::Object(_)) => Some(data),
        Some(_) => return None,
    };
    let inner = data.and_then(|data| data.get("customers")).filter(|list| **list != Json::Null);
    let outer = document.get("customers").filter(|list| **list != Json::Null);
    // Each list that is present must be a list.
    if [inner, outer].into_iter().flatten().any(|list| list.list().is_none()) {
        return None;
    }
    // Of two lists with rows, the list in `data` counts.
    let is_empty = |list: &&Json| list.list().is_some_and(<[Json]>::is_empty);
    let list = if inner.is_some_and(|list| is_empty(&list)) { outer.or(inner) } else { inner.or(outer) };
    let list = list?.list()?;
    let nested = document.all("data").flat_map(|data| data.all("customers"));
    let lists = document.all("customers").chain(nested).filter_map(Json::list).collect();
    Some((list, without(lists, list)))
}

fn without<'j>(lists: Vec<&'j [Json]>, list: &[Json]) -> Vec<&'j [Json]> {
    lists.into_iter().filter(|other| !std::ptr::eq(*other, list)).collect()
}
