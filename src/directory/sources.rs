//! Sources of a directory, by name.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::domain::connection::ConnectionName;

use super::Source;

/// Sources in configuration order, with an index of their names.
pub(super) struct Sources {
    all: Vec<Arc<Source>>,
    places: HashMap<ConnectionName, usize>,
}

impl Sources {
    /// Indexes sources, whose names are unique.
    pub(super) fn new(all: Vec<Arc<Source>>) -> Self {
        let places = all.iter().enumerate().map(|(place, source)| (source.name().clone(), place)).collect();
        Self { all, places }
    }

    /// Returns all sources.
    pub(super) fn all(&self) -> &[Arc<Source>] {
        &self.all
    }

    /// Returns the source of a connection.
    pub(super) fn get(&self, name: &str) -> Option<&Arc<Source>> {
        self.all.get(*self.places.get(name)?)
    }

    /// Returns the sources of these connections in configuration order, each source
    /// once, or the first name without a source.
    pub(super) fn named<'n>(&self, names: &[&'n str]) -> Result<Vec<&Source>, &'n str> {
        let places = names.iter().map(|name| self.places.get(*name).copied().ok_or(*name));
        let mut places = places.collect::<Result<Vec<_>, _>>()?;
        places.sort_unstable();
        places.dedup();
        Ok(places.into_iter().filter_map(|place| self.all.get(place)).map(AsRef::as_ref).collect())
    }
}
