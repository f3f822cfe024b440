//! Tolt's paging: `starting_after` and `ending_before` with an id, `has_more`.

use crate::{
    domain::anchor::{Anchor, Direction, Neighbour},
    vendors::VendorError,
};

/// Returns true if the rows of a page are in the reverse of the list's order.
pub(super) fn is_reversed(anchor: &Anchor) -> bool {
    matches!(anchor, Anchor::From(_, Direction::Backward))
}

/// Returns true if `total_count` covers the whole query. A request for a page at
/// an instant has a narrower range.
pub(super) fn total_covers_query(anchor: &Anchor) -> bool {
    !matches!(anchor, Anchor::From(..))
}

/// Returns whether rows may follow a page, in its direction of travel.
///
/// Tolt documents the flag. Without a readable flag, only an empty page or a
/// count that agrees proves the end; otherwise the next page is requested.
pub(super) fn has_more(anchor: &Anchor, flag: Option<bool>, rows: usize, total: Option<u64>) -> bool {
    let is_whole_list = *anchor == Anchor::Start && total == Some(rows as u64);
    flag.unwrap_or(rows > 0 && !is_whole_list)
}

/// Returns the neighbours before and after a page, in list order, from the ids
/// of its first and last row. `more` means more in the direction of travel
/// (FACTS.md, "Tolt v1").
pub(super) fn neighbours(
    anchor: &Anchor,
    edges: Option<(Box<str>, Box<str>)>,
    more: bool,
) -> Result<(Neighbour, Neighbour), VendorError> {
    let backward = matches!(anchor, Anchor::Before(_) | Anchor::From(_, Direction::Backward));
    let Some((first, last)) = edges else {
        // Without a row there is no id to continue from. Treating the page as
        // the end of the list would hide the remaining rows.
        if more {
            return Err(VendorError::Unreadable("a page without rows promises more rows".to_owned()));
        }
        return Ok(match anchor {
            Anchor::Start => (Neighbour::End, Neighbour::End),
            _ if backward => (Neighbour::End, Neighbour::Unknown),
            _ => (Neighbour::Unknown, Neighbour::End),
        });
    };
    let (before, after) = (Neighbour::At(Anchor::Before(first)), Neighbour::At(Anchor::After(last)));
    let or_end = |neighbour| if more { neighbour } else { Neighbour::End };
    Ok(match anchor {
        Anchor::Start => (Neighbour::End, or_end(after)),
        _ if backward => (or_end(before), after),
        _ => (before, or_end(after)),
    })
}
