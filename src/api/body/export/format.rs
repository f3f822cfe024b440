//! Export formats and their negotiation.

use bytes::Bytes;
use headers_accept::Accept;
use http::{HeaderMap, HeaderValue, header::ACCEPT};
use mediatype::{MediaType, Name, names};

use crate::{
    api::body::export::{Checkpoint, RowWriter, csv, ndjson},
    api::parameters::Marks,
    directory::ExportPage,
    domain::query::Resource,
    web::list_value::{elements, split, unquote},
};

const X_NDJSON: Name<'static> = Name::new_unchecked("x-ndjson");

/// Format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// One JSON object per line (<https://github.com/ndjson/ndjson-spec>).
    Ndjson,
    /// Comma-separated values (RFC 4180).
    Csv,
}

impl Format {
    /// Media types of a list, in order of preference among equal weights.
    const MEDIA_TYPES: [MediaType<'static>; 3] = [
        MediaType::new(names::APPLICATION, names::JSON),
        MediaType::new(names::APPLICATION, X_NDJSON),
        MediaType::new(names::TEXT, names::CSV),
    ];

    /// Returns the export format that the request prefers. `None` if it prefers
    /// a page.
    pub(crate) fn negotiate(request: &HeaderMap) -> Option<Self> {
        let ranges: Vec<_> = elements(request, ACCEPT).filter_map(media_range).collect();
        let accept: Accept = ranges.join(",").parse().ok()?;
        let preferred = accept.negotiate(&Self::MEDIA_TYPES)?.subty;
        if preferred == X_NDJSON {
            Some(Self::Ndjson)
        } else if preferred == names::CSV {
            Some(Self::Csv)
        } else {
            None
        }
    }

    /// Returns false if a line of `Accept` certainly prefers a page. Cheaper than
    /// `negotiate`. JSON is the first choice for a wildcard without a weight.
    pub(crate) fn may_match(accept: &HeaderValue) -> bool {
        let contains = |part: &str| {
            let mut windows = accept.as_bytes().windows(part.len());
            windows.any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
        };
        contains("ndjson") || contains("csv") || contains("text/*") || (contains("*") && contains("q="))
    }

    /// Returns the `Content-Type` of the response.
    pub(super) fn content_type(self) -> HeaderValue {
        match self {
            Self::Ndjson => HeaderValue::from_static("application/x-ndjson"),
            Self::Csv => HeaderValue::from_static("text/csv; charset=utf-8; header=present"),
        }
    }

    /// Returns the `Content-Disposition` of the response (RFC 6266). A browser
    /// saves an export instead of displaying it.
    pub(super) fn content_disposition(self, resource: Resource) -> HeaderValue {
        HeaderValue::from_static(match (resource, self) {
            (Resource::Customers, Self::Ndjson) => "attachment; filename=\"customers.ndjson\"",
            (Resource::Customers, Self::Csv) => "attachment; filename=\"customers.csv\"",
            (Resource::Transactions, Self::Ndjson) => "attachment; filename=\"transactions.ndjson\"",
            (Resource::Transactions, Self::Csv) => "attachment; filename=\"transactions.csv\"",
        })
    }

    /// Returns the bytes before the first page, if the format has a header.
    pub(super) fn header(self, rows: &RowWriter, marks: Marks) -> Option<Bytes> {
        match self {
            Self::Ndjson => None,
            Self::Csv => Some(csv::header(rows, marks)),
        }
    }

    /// Writes the rows of a page and the checkpoint after it, if any.
    pub(super) fn page(self, rows: &RowWriter, page: &ExportPage, checkpoint: Option<&Checkpoint<'_>>) -> Bytes {
        match self {
            Self::Ndjson => ndjson::page(rows, page, checkpoint),
            Self::Csv => csv::page(rows, page, checkpoint),
        }
    }
}

/// Returns a media range with no parameter but its weight. A parameter such as
/// `header=present` selects nothing here. `None` for another charset than UTF-8.
fn media_range(range: &str) -> Option<String> {
    let mut parts = split(range, b';');
    let mut kept = parts.next()?.to_ascii_lowercase();
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => kept = format!("{kept};q={}", value.trim()),
            "charset" if !unquote(value).eq_ignore_ascii_case("utf-8") => return None,
            _ => {}
        }
    }
    Some(kept)
}
