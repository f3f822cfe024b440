//! Scripts on the server.
