//! Access rights of a request's caller.

use std::sync::Arc;

use crate::{domain::field_policy::FieldPolicy, upstream::CallerShare};

use super::Caller;

/// Access rights of a request.
#[derive(Debug, Clone)]
pub enum Access {
    /// Unrestricted: no callers are configured.
    Unrestricted,
    /// Rights of one caller.
    Caller(Arc<Caller>),
}

impl Access {
    /// Returns the name of the caller; empty if no callers are configured.
    #[must_use]
    pub fn name(&self) -> Arc<str> {
        match self {
            Self::Unrestricted => Arc::default(),
            Self::Caller(caller) => Arc::clone(&caller.name),
        }
    }

    /// Returns whether the caller may use a connection.
    #[must_use]
    pub fn allows(&self, connection: &str) -> bool {
        match self {
            Self::Unrestricted => true,
            Self::Caller(caller) => caller.connections.contains(connection),
        }
    }

    /// Returns the caller that vendor calls are charged to.
    #[must_use]
    pub fn caller_share(&self) -> CallerShare {
        match self {
            Self::Unrestricted => CallerShare::unrestricted(),
            Self::Caller(caller) => caller.caller_share(),
        }
    }

    /// Returns the fields that the caller may not see.
    #[must_use]
    pub fn fields(&self) -> &FieldPolicy {
        match self {
            Self::Unrestricted => FieldPolicy::NONE,
            Self::Caller(caller) => &caller.fields,
        }
    }

    /// Returns whether the caller may request the vendors' own objects, which
    /// contain all fields.
    #[must_use]
    pub fn may_see_raw(&self) -> bool {
        match self {
            Self::Unrestricted => true,
            Self::Caller(caller) => caller.may_see_raw && caller.fields.is_empty(),
        }
    }

    /// Returns whether the caller may purge cached pages.
    #[must_use]
    pub fn may_purge(&self) -> bool {
        match self {
            Self::Unrestricted => true,
            Self::Caller(caller) => caller.may_purge,
        }
    }
}
