//! Tolt's paging: `starting_after` and `ending_before` by id, `has_more`.

use crate::{
    domain::anchor::{Anchor, Direction, Neighbour},
    vendors::VendorError,
};

/// Whether a page comes in the reverse of the list's order.
pub(super) fn is_reversed(anchor: &Anchor) -> bool {
    matches!(anchor, Anchor::From(_, Direction::Backward))
}

/// Whether `total_count` counts the whole question: a page sought by an
/// instant was asked for with a narrower range.
pub(super) fn counts_the_question(anchor: &Anchor) -> bool {
    !matches!(anchor, Anchor::From(..))
}

/// What precedes and what follows a page, in list order, from the ids of its
/// first and last row. `more` means more in the direction of travel (FACTS.md).
pub(super) fn neighbours(
    anchor: &Anchor,
    edges: Option<(Box<str>, Box<str>)>,
    more: bool,
) -> Result<(Neighbour, Neighbour), VendorError> {
    let backward = matches!(anchor, Anchor::Before(_) | Anchor::From(_, Direction::Backward));
    let Some((first, last)) = edges else {
        // Without a row there is no id to go on from, and to call this the end
        // would hide whatever rows there are.
        if more {
            return Err(VendorError::Unreadable("it says that there are more rows, and sends none".to_owned()));
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
