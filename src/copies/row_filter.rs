//! Filters over the columns of a segment. The rules are those of
//! [`RecordFilter`].

use memchr::memmem::Finder;

use crate::domain::{
    fold::fold,
    page::{PageInfo, RecordPageBuilder, UnreadField},
    residual::{Match, RecordFilter, Residual, reads_email_only},
};

use super::{Question, Segment, bits::Bits, column::IndexedColumn, segment::RowReader, slot::Slot};

/// Filter that is prepared for many segments.
pub(super) struct RowFilter<'q> {
    question: &'q Question,
    search: Option<Finder<'q>>,
    name: Option<Name>,
    reader: RowReader,
}

/// Name that a row must have.
struct Name {
    folded: String,
    /// Compares the exact name, which no column has.
    exact: RecordFilter,
}

/// Matching rows of a segment.
pub(super) enum Matches {
    Few(Vec<usize>),
    Many(Bits),
}

/// Part of the rows below which the rows are searched one by one.
const FEW: usize = 32;

impl<'q> RowFilter<'q> {
    pub(super) fn new(question: &'q Question) -> Self {
        let Residual { search, name, .. } = &question.residual;
        let name = name.as_ref().map(|name| Name {
            folded: fold(name).into_owned(),
            exact: Residual { name: Some(name.clone()), ..Residual::default() }.prepare(),
        });
        Self { question, search: search.as_ref().map(Finder::new), name, reader: RowReader::default() }
    }

    /// Returns the rows of a slot that match.
    pub(super) fn select(&mut self, slot: &Slot) -> Matches {
        let segment = &*slot.segment;
        if let Some(candidates) = self.candidates(segment) {
            let rows = candidates.iter().flat_map(|rows| rows.iter().map(|row| usize::from(*row)));
            return Matches::Few(
                rows.filter(|row| slot.is_live(*row) && self.apply(segment, *row) == Match::Yes).collect(),
            );
        }
        let mut rows = slot.live_rows();
        let Question { residual, statuses, partner_ids, platforms, .. } = self.question;
        let coded =
            [(&segment.statuses, statuses), (&segment.partner_ids, partner_ids), (&segment.platforms, platforms)];
        for (column, accepted) in coded {
            if !accepted.is_empty() {
                column.retain(accepted, &mut rows);
            }
        }
        for (column, range) in [(&segment.created_at, residual.created), (&segment.updated_at, residual.updated)] {
            if range.is_bounded() {
                column.retain(range, &mut rows);
            }
        }
        let Some(part) = &self.search else { return Matches::Many(rows) };
        if rows.count() < segment.len() / FEW {
            return Matches::Few(rows.iter().filter(|row| self.apply(segment, *row) == Match::Yes).collect());
        }
        let mut found = Bits::new(segment.len());
        segment.folded_emails.values.search(part, &mut found);
        if !self.searches_email_only() {
            segment.folded_names.values.search(part, &mut found);
        }
        rows.retain_common(&found);
        Matches::Many(rows)
    }

    /// Returns the number of rows of a slot that the filter cannot decide.
    pub(super) fn undecided(&mut self, slot: &Slot) -> u32 {
        let mut count = 0_u32;
        for (row, unread) in &slot.segment.unread {
            let row = usize::from(*row);
            let is_undecided = self.question.compares(*unread)
                && slot.is_live(row)
                && self.apply(&slot.segment, row) == Match::Undecided;
            count = count.saturating_add(is_undecided.into());
        }
        count
    }

    /// Estimates the work of a selection in a slot, in units of about 100 ns.
    pub(super) fn work(&self, slot: &Slot) -> usize {
        let segment = &*slot.segment;
        let unread = segment.unread.len();
        if let Some(candidates) = self.candidates(segment) {
            return LOOKUP + unread + candidates.iter().map(|rows| rows.len()).sum::<usize>();
        }
        let texts = if self.searches_email_only() { 1 } else { 2 };
        let texts = [&segment.folded_emails, &segment.folded_names].into_iter().take(texts);
        let text: usize = texts.map(|column| column.values.text_length()).sum();
        let searched = if self.search.is_some() { text / SEARCHED_AT_ONCE } else { 0 };
        LOOKUP + unread + segment.len() / COMPARED_AT_ONCE + searched
    }

    /// Returns the rows that the most selective index leaves, or `None` if no
    /// filter has an index.
    fn candidates<'s>(&self, segment: &'s Segment) -> Option<Vec<&'s [u16]>> {
        let Question { residual, platform_ids, customer_id, .. } = self.question;
        let one = |column: &'s IndexedColumn, value: Option<&String>| Some(vec![column.find(value?)]);
        [
            one(&segment.folded_emails, residual.email.as_ref()),
            one(&segment.external_ids, residual.external_id.as_ref()),
            one(&segment.folded_names, self.name.as_ref().map(|name| &name.folded)),
            one(&segment.customer_ids, customer_id.as_ref()),
            (!platform_ids.is_empty()).then(|| platform_ids.iter().map(|id| segment.platform_ids.find(id)).collect()),
        ]
        .into_iter()
        .flatten()
        .min_by_key(|rows| rows.iter().map(|rows| rows.len()).sum::<usize>())
    }

    /// Applies the filter to a row. Null matches nothing.
    fn apply(&mut self, segment: &Segment, row: usize) -> Match {
        let Question { residual, statuses, partner_ids, platforms, platform_ids, customer_id, .. } = self.question;
        let unread = segment.unread(row);
        let absent = |field| if unread.contains(field) { Match::Undecided } else { Match::No };
        let mut result = Match::Yes;
        let accepted = [
            (statuses, segment.statuses.get(row)),
            (partner_ids, segment.partner_ids.get(row)),
            (platforms, segment.platforms.get(row)),
            (platform_ids, segment.platform_ids.get(row)),
        ];
        for (accepted, value) in accepted {
            let is_accepted = accepted.is_empty() || value.is_some_and(|value| accepted.iter().any(|it| it == value));
            result = result.and(is_accepted.into());
        }
        if let Some(id) = customer_id {
            result = result.and((segment.customer_ids.get(row) == Some(id)).into());
        }
        let ranges = [
            (residual.created, &segment.created_at, UnreadField::CreatedAt),
            (residual.updated, &segment.updated_at, UnreadField::UpdatedAt),
        ];
        for (range, column, field) in ranges {
            if range.is_bounded() {
                let value = column.get(row);
                result = result.and(value.map_or_else(|| absent(field), |_| range.contains(value).into()));
            }
        }
        let texts = [
            (&residual.email, &segment.folded_emails, UnreadField::Email),
            (&residual.external_id, &segment.external_ids, UnreadField::ExternalId),
        ];
        for (expected, column, field) in texts {
            if let Some(expected) = expected {
                result = result.and(column.get(row).map_or_else(|| absent(field), |value| (value == expected).into()));
            }
        }
        if let Some(part) = &self.search {
            let contains = |column: &IndexedColumn, field| {
                column.get(row).map_or_else(|| absent(field), |value| part.find(value.as_bytes()).is_some().into())
            };
            let email = contains(&segment.folded_emails, UnreadField::Email);
            let name =
                if self.searches_email_only() { Match::No } else { contains(&segment.folded_names, UnreadField::Name) };
            result = result.and(email.or(name));
        }
        if let Some(name) = &self.name
            && result != Match::No
        {
            result = result.and(match segment.folded_names.get(row) {
                Some(value) => (value == name.folded && name.is_exact(&mut self.reader, segment, row)).into(),
                None => absent(UnreadField::Name),
            });
        }
        result
    }

    fn searches_email_only(&self) -> bool {
        self.question.residual.search.as_deref().is_some_and(reads_email_only)
    }
}

/// Work of a lookup in one segment.
const LOOKUP: usize = 10;

/// Number of rows that are compared in 100 ns.
const COMPARED_AT_ONCE: usize = 64;

/// Number of bytes that are searched in 100 ns.
const SEARCHED_AT_ONCE: usize = 512;

impl Name {
    /// Returns true if a row has exactly this name. The columns have the folded
    /// name only, so the row is read.
    fn is_exact(&self, reader: &mut RowReader, segment: &Segment, row: usize) -> bool {
        let Some(row) = reader.read(segment, row) else { return false };
        let mut page = RecordPageBuilder::default();
        let is_stored = page.push_json(&row.fields(), row.json).is_ok();
        is_stored && self.exact.apply(&page.finish(PageInfo::default()), 0) == Match::Yes
    }
}
