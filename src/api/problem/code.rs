//! Every kind of problem there is: one table for answers, for the pages at
//! `/problems/<code>` and for the documentation.

use http::StatusCode;

macro_rules! codes {
    ($($variant:ident $name:literal $status:ident $retryable:literal $title:literal $help:literal;)+) => {
        /// A kind of problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $(#[doc = $title] $variant),+ }

        impl Code {
            /// All of them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in `code` and at the end of `type`.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The HTTP status.
            pub(crate) fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),+ }
            }

            /// Whether the same request may succeed later.
            pub(crate) fn retryable(self) -> bool {
                match self { $(Self::$variant => $retryable),+ }
            }

            /// What happened, in short.
            pub(crate) fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }

            /// What to do about it.
            pub(crate) fn help(self) -> &'static str {
                match self { $(Self::$variant => $help),+ }
            }
        }
    };
}

codes! {
    InvalidParameter "invalid_parameter" BAD_REQUEST false
        "A parameter has a value that is not accepted"
        "`parameter` names it, and `detail` says what is accepted.";
    UnknownParameter "unknown_parameter" BAD_REQUEST false
        "There is no such parameter"
        "`parameter` names it, and `supported` lists those there are. Nothing is ever ignored silently.";
    RepeatedParameter "repeated_parameter" BAD_REQUEST false
        "A parameter that takes one value was given twice"
        "Give `parameter` once.";
    UnsupportedFilter "unsupported_filter" BAD_REQUEST false
        "The connection cannot honour a parameter"
        "Leave `parameter` out, or ask a connection that supports it; `supported` lists what this one does, as `GET /connections/{name}` does.";
    InvalidCursor "invalid_cursor" BAD_REQUEST false
        "The cursor is not one of this gateway's"
        "Use `next_cursor` or `prev_cursor` of an answer exactly as it came, or start again without `cursor`. After a restart of a gateway without a configured `paging.cursor_key`, old cursors end.";
    CursorMismatch "cursor_mismatch" BAD_REQUEST false
        "The cursor belongs to another question"
        "Repeat the connections, filters and order of the request that the cursor came from; `limit` may change.";
    CursorExpired "cursor_expired" BAD_REQUEST false
        "The vendor no longer knows the cursor's place"
        "Start again without `cursor`.";
    MalformedRequest "malformed_request" BAD_REQUEST false
        "The request's target cannot be read"
        "Percent-encode the path and the query as UTF-8 (RFC 3986): a `%` stands before two hexadecimal digits.";
    Unauthenticated "unauthenticated" UNAUTHORIZED false
        "The request carries no key or token that is known here"
        "Send `Authorization: Bearer <key>` with a key that the operator gave you, or with a token of the identity provider that the gateway is configured with; `detail` says what is wrong with a token.";
    Forbidden "forbidden" FORBIDDEN false
        "The caller may not do this"
        "Ask the operator for the right; a key's rights stand in the gateway's configuration.";
    NotFound "not_found" NOT_FOUND false
        "There is no such route"
        "`GET /openapi.json` lists the routes.";
    ConnectionNotFound "connection_not_found" NOT_FOUND false
        "There is no such connection"
        "`GET /connections` lists those that you may use.";
    CustomerNotFound "customer_not_found" NOT_FOUND false
        "There is no such customer"
        "Ids are `<connection>.<vendor's id>`, as lists give them, percent-encoded where needed.";
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED false
        "The route does not take this method"
        "`Allow` lists the methods it takes.";
    UriTooLong "uri_too_long" URI_TOO_LONG false
        "The request's target is too long"
        "Keep path and query within 8 KiB.";
    ContentTooLarge "content_too_large" PAYLOAD_TOO_LARGE false
        "The request carries a body"
        "No route reads one: send the request without.";
    HeadersTooLarge "headers_too_large" REQUEST_HEADER_FIELDS_TOO_LARGE false
        "The request's headers are too large"
        "Keep them within 32 KiB together.";
    OrderTooExpensive "order_too_expensive" UNPROCESSABLE_ENTITY false
        "The order would take more vendor calls than a request may make"
        "Narrow the question with a filter that the vendor applies itself (`supported` lists them), leave `order` out, or ask the operator for a larger `paging.max_vendor_calls`.";
    QuotaExceeded "quota_exceeded" TOO_MANY_REQUESTS true
        "The caller's own quota is spent"
        "Wait for `Retry-After` seconds. With a `connection`, the quota is the caller's share of the vendor calls there, and what is kept is still to be had. Both stand in the gateway's configuration.";
    Internal "internal" INTERNAL_SERVER_ERROR false
        "The gateway failed"
        "This is a fault of the gateway: report it with the `request_id`.";
    UnsupportedOperation "unsupported_operation" NOT_IMPLEMENTED false
        "The connection's vendor has no such operation"
        "Ask a connection whose vendor has it: see `GET /connections`.";
    VendorRejected "vendor_rejected" BAD_GATEWAY false
        "The vendor refused the gateway's request"
        "`vendor` holds what it said. This points to the connection's configuration, or to a change at the vendor.";
    VendorUnauthorized "vendor_unauthorized" BAD_GATEWAY false
        "The vendor refused the connection's credential"
        "The operator must renew the connection's credential; `vendor` holds what the vendor said.";
    VendorError "vendor_error" BAD_GATEWAY true
        "The vendor failed"
        "Try again later; `vendor` holds what it said, if it said anything.";
    VendorUnreadable "vendor_unreadable" BAD_GATEWAY false
        "The vendor's answer cannot be read"
        "`detail` says what is wrong with it. This points to a change or a fault at the vendor.";
    VendorRateLimited "vendor_rate_limited" SERVICE_UNAVAILABLE true
        "The vendor's rate limit is reached"
        "Wait for `Retry-After` seconds.";
    VendorUnavailable "vendor_unavailable" SERVICE_UNAVAILABLE true
        "The vendor has failed so often that it is left alone for a while"
        "Wait for `Retry-After` seconds.";
    Overloaded "overloaded" SERVICE_UNAVAILABLE true
        "The gateway works on as many requests as it may"
        "Wait for `Retry-After` seconds. If it lasts, the operator adds a replica, or raises `server.max_requests`.";
    NotReady "not_ready" SERVICE_UNAVAILABLE true
        "The gateway can serve nothing at this moment"
        "Ask another replica: this one is stopping, or every vendor of its connections fails and nothing of theirs is kept.";
    IdentityUnavailable "identity_unavailable" SERVICE_UNAVAILABLE true
        "The token cannot be verified for want of the identity provider's keys"
        "Wait for `Retry-After` seconds, or use a key that the operator gave you: the gateway's log says why the provider's keys cannot be had.";
    NotCached "not_cached" GATEWAY_TIMEOUT false
        "Nothing is kept of this, and the request allows no vendor call"
        "Ask without `Cache-Control: only-if-cached`.";
    DeadlineExceeded "deadline_exceeded" GATEWAY_TIMEOUT true
        "The deadline passed"
        "Try again later; ask for less, if the question is a large one.";
}

impl Code {
    /// Where the page that explains it is served.
    pub(crate) fn page(self) -> String {
        format!("/problems/{}", self.name())
    }

    /// The code of a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}
