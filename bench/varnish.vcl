# varnish as bench/run starts it; @…@ is filled in. It serves the vendor's bytes
# as they are: nothing is translated and nobody is authenticated.
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
    # The built-in rule would pass whatever carries Authorization.
    return (hash);
}

sub vcl_backend_response {
    set beresp.ttl = 1h;
    return (deliver);
}
