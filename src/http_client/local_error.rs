//! Errors of this machine, in contrast to errors of the network and the server.

use std::{
    error::Error,
    io::{self, ErrorKind},
};

use rustix::io::Errno;

/// Errors for a lack of descriptors, buffers, memory or local ports
/// (`connect(2)`, `socket(2)`).
const LOCAL: [Errno; 5] = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::ADDRNOTAVAIL];

/// Returns whether an error has a lack of resources of this machine as its cause.
pub(crate) fn is_local(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.downcast_ref().is_some_and(is_local_io) {
            return true;
        }
        next = error.source();
    }
    false
}

fn is_local_io(error: &io::Error) -> bool {
    let has_local_code = Errno::from_io_error(error).is_some_and(|code| LOCAL.contains(&code));
    let has_local_kind = matches!(error.kind(), ErrorKind::OutOfMemory | ErrorKind::AddrNotAvailable);
    // `source` of an I/O error skips the error that it contains.
    has_local_code || has_local_kind || error.get_ref().is_some_and(|inner| is_local(inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_errors_are_found_in_any_wrapping() {
        for code in LOCAL {
            let error = || io::Error::from(code);
            assert!(is_local(&error()), "{code}");
            assert!(is_local(&io::Error::other(error())), "{code}");
            assert!(is_local(&io::Error::other(io::Error::other(error()))), "{code}");
        }
        for code in [Errno::CONNREFUSED, Errno::CONNRESET, Errno::TIMEDOUT, Errno::HOSTUNREACH, Errno::NETUNREACH] {
            assert!(!is_local(&io::Error::other(io::Error::from(code))), "{code}");
        }
        assert!(!is_local(&io::Error::other("text")));
    }
}
