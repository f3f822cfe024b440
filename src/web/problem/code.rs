//! Table of all kinds of problem, for responses, for the pages at
//! `/problems/<code>` and for the OpenAPI document.

use http::StatusCode;

macro_rules! codes {
    ($($variant:ident $name:literal $status:ident $retryable:literal $title:literal $help:literal;)+) => {
        /// Kind of a problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $(#[doc = $title] $variant),+ }

        impl Code {
            /// All kinds, in the order of the table.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the value of `code`, which is also the last part of `type`.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Returns the HTTP status.
            pub(crate) fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),+ }
            }

            /// Returns whether the same request may succeed later.
            pub(crate) fn retryable(self) -> bool {
                match self { $(Self::$variant => $retryable),+ }
            }

            /// Returns a short description.
            pub(crate) fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }

            /// Returns the remedy.
            pub(crate) fn help(self) -> &'static str {
                match self { $(Self::$variant => $help),+ }
            }
        }
    };
}

codes! {
    InvalidParameter "invalid_parameter" BAD_REQUEST false
        "A parameter has an invalid value"
        "`parameter` names the parameter, and `detail` describes the accepted values.";
    UnknownParameter "unknown_parameter" BAD_REQUEST false
        "Unknown parameter"
        "`parameter` names the parameter, and `supported` lists the known parameters. Parameters are never ignored silently.";
    RepeatedParameter "repeated_parameter" BAD_REQUEST false
        "A single-value parameter is repeated"
        "Send `parameter` once.";
    UnsupportedFilter "unsupported_filter" BAD_REQUEST false
        "The connection does not support a parameter"
        "Remove `parameter`, or use a connection that supports it: `detail` names these connections. With `Prefer: handling=lenient`, a list skips connections that do not support it. `supported` lists the parameters of this connection, as does `GET /connections/{name}`.";
    InvalidCursor "invalid_cursor" BAD_REQUEST false
        "The cursor is invalid"
        "Send `next_cursor` or `prev_cursor` of a response unchanged, or start again without `cursor`. If `paging.cursor_key` is not configured, cursors become invalid when the gateway restarts.";
    CursorMismatch "cursor_mismatch" BAD_REQUEST false
        "The cursor belongs to a different request"
        "Repeat the connections, filters, ids and order of the request that returned the cursor. The `limit` may change.";
    CursorExpired "cursor_expired" BAD_REQUEST false
        "The cursor has expired"
        "The vendor no longer recognizes the position, or this process no longer keeps the position of a short cursor. Start again without `cursor`. A short cursor replaces a cursor that would exceed 2,048 characters. It is valid on the replica that issued it, until the replica restarts or the cursor is unused for an hour.";
    MalformedRequest "malformed_request" BAD_REQUEST false
        "The request target is malformed"
        "Percent-encode the path and the query as UTF-8 (RFC 3986). Each `%` must be followed by two hexadecimal digits.";
    Unauthenticated "unauthenticated" UNAUTHORIZED false
        "The request has no valid key or token"
        "Send `Authorization: Bearer <key>` with a key from the operator, or with a token of the configured identity provider. For a token, `detail` gives the reason.";
    Forbidden "forbidden" FORBIDDEN false
        "The caller lacks the required permission"
        "`parameter` names what is not permitted. Remove it, or ask the operator for the permission: the gateway's configuration defines the permissions of each caller. `GET /connections` lists the fields that are hidden from you. Filters by these fields are forbidden, too.";
    NotFound "not_found" NOT_FOUND false
        "Route not found"
        "`GET /openapi.json` lists the routes.";
    ConnectionNotFound "connection_not_found" NOT_FOUND false
        "Connection not found"
        "`GET /connections` lists the connections that you may use.";
    CustomerNotFound "customer_not_found" NOT_FOUND false
        "Customer not found"
        "Ids have the form `<connection>.<vendor's id>`. Use ids as returned in lists, percent-encoded where necessary.";
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED false
        "Method not allowed"
        "The `Allow` header lists the methods of the route.";
    NotSynced "not_synced" CONFLICT false
        "The connection stores no lists"
        "The operator enables stored lists in the gateway's configuration, with `[connections.sync]`. `GET /connections` shows `sync` for each connection that has them.";
    UriTooLong "uri_too_long" URI_TOO_LONG false
        "The request target is too long"
        "Keep path and query within 8 KiB.";
    ContentTooLarge "content_too_large" PAYLOAD_TOO_LARGE false
        "The request has a body"
        "No route accepts a body. Send the request without one.";
    HeadersTooLarge "headers_too_large" REQUEST_HEADER_FIELDS_TOO_LARGE false
        "The request headers are too large"
        "Keep the headers within 32 KiB in total.";
    OrderTooExpensive "order_too_expensive" UNPROCESSABLE_ENTITY false
        "Sorting requires too many rows or vendor calls"
        "Add a filter that the vendor applies (`supported` lists these filters), remove `order`, raise `max_calls` if the request sets it, or ask the operator to raise the setting that `detail` names.";
    QuotaExceeded "quota_exceeded" TOO_MANY_REQUESTS true
        "The caller's quota is exhausted"
        "Wait for `Retry-After` seconds. If the problem names a `connection`, the caller's share of its vendor calls is exhausted; cached responses remain available. The operator configures both limits.";
    Internal "internal" INTERNAL_SERVER_ERROR false
        "Internal gateway error"
        "This is a bug in the gateway. Report it with the `request_id`.";
    UnsupportedOperation "unsupported_operation" NOT_IMPLEMENTED false
        "The connection's vendor does not support this operation"
        "Use a connection whose vendor supports the operation. See `GET /connections`.";
    VendorRejected "vendor_rejected" BAD_GATEWAY false
        "The vendor rejected the gateway's request"
        "`vendor` contains the vendor's error. Likely causes are the connection's configuration or a change at the vendor.";
    VendorUnauthorized "vendor_unauthorized" BAD_GATEWAY false
        "The vendor rejected the connection's credential"
        "The operator must replace the connection's credential. `vendor` contains the vendor's error.";
    VendorError "vendor_error" BAD_GATEWAY true
        "The vendor failed"
        "Try again later. `vendor` contains the vendor's error, if there was one.";
    VendorUnreadable "vendor_unreadable" BAD_GATEWAY false
        "The vendor's response is unreadable"
        "`detail` describes the defect. Likely causes are a change or a fault at the vendor.";
    VendorRateLimited "vendor_rate_limited" SERVICE_UNAVAILABLE true
        "The vendor's rate limit is exhausted"
        "Wait for `Retry-After` seconds.";
    VendorUnavailable "vendor_unavailable" SERVICE_UNAVAILABLE true
        "The vendor is unavailable"
        "The vendor has failed repeatedly, or has requested a pause. Wait for `Retry-After` seconds.";
    Overloaded "overloaded" SERVICE_UNAVAILABLE true
        "The gateway is overloaded"
        "Wait for `Retry-After` seconds. `detail` names the limit: the requests in progress, the requests that wait for one vendor, the memory of vendor responses or of unread responses, or a resource of the gateway's machine such as file descriptors. Read responses to their end. If the problem persists, the operator should add a replica or raise the limit.";
    NotReady "not_ready" SERVICE_UNAVAILABLE true
        "The gateway is not ready"
        "Use another replica. This replica is shutting down, or every vendor fails and no usable response is cached.";
    IdentityUnavailable "identity_unavailable" SERVICE_UNAVAILABLE true
        "The identity provider's keys are unavailable"
        "The token cannot be verified. Wait for `Retry-After` seconds, or use a key from the operator. The gateway's log states why the provider's keys are unavailable.";
    NotCached "not_cached" GATEWAY_TIMEOUT false
        "Not cached, and only-if-cached forbids a vendor call"
        "Send the request without `Cache-Control: only-if-cached`.";
    DeadlineExceeded "deadline_exceeded" GATEWAY_TIMEOUT true
        "The request deadline was exceeded"
        "Try again later. Reduce the request if it is large.";
}

impl Code {
    /// Returns the path of the page that describes the kind.
    #[must_use]
    pub(crate) fn page(self) -> String {
        format!("/problems/{}", self.name())
    }

    /// Returns the kind with a name.
    #[must_use]
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }
}
