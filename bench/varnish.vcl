# The varnish of bench/run, which replaces every @…@. Serves the vendor's bytes
# unchanged, without translation or authentication.
vcl 4.1;

backend vendor {
    .host = "127.0.0.1";
    .port = "@VENDOR@";
}

sub vcl_recv {
    if (req.url ~ "^/miss/") {
        set req.url = regsub(req.url, "^/miss", "");
        return (pass);
    }
    # The built-in rule would bypass the cache for requests with Authorization.
    return (hash);
}

sub vcl_backend_response {
    set beresp.ttl = 1h;
    return (deliver);
}
