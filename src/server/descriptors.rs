//! File descriptors: the limit of the process, and the part of it for client
//! connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Divisor of the limit that is reserved for vendor connections and files.
const RESERVE_DIVISOR: u64 = 4;
/// Minimum reserve.
const MIN_RESERVE: u64 = 64;

/// Raises the limit of open file descriptors to the hard limit, for the whole
/// process. A failure keeps the limit.
pub fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        Ok(()) => tracing::info!(from = limit.current, to = limit.maximum, "descriptor limit raised"),
        Err(error) => tracing::warn!(%error, limit = limit.current, "descriptor limit not raised"),
    }
}

/// Returns the maximum number of client connections: `configured`, or fewer if
/// the limit of file descriptors requires a lower number.
pub(super) fn max_connections(configured: u32) -> u32 {
    // `None` is no limit.
    let Some(descriptors) = getrlimit(Resource::Nofile).current else { return configured };
    let available = available_to_clients(descriptors);
    match u32::try_from(available) {
        Ok(available) if available < configured => {
            tracing::warn!(configured, lowered = available, descriptors, "connection limit lowered");
            available
        }
        _ => configured,
    }
}

/// Returns the descriptors that client connections may use: three quarters, with
/// a reserve of at least [`MIN_RESERVE`], but at least half.
fn available_to_clients(descriptors: u64) -> u64 {
    let reserve = (descriptors / RESERVE_DIVISOR).max(MIN_RESERVE).min(descriptors / 2);
    descriptors - reserve
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserve_is_a_quarter_and_at_least_64() {
        for (descriptors, clients) in [(0, 0), (1, 1), (64, 32), (128, 64), (256, 192), (1024, 768), (1 << 20, 786_432)]
        {
            assert_eq!(available_to_clients(descriptors), clients, "{descriptors}");
        }
    }
}
