//! Target of an export: a path and query, relative to the gateway's base URL.

use anyhow::{Context, bail, ensure};
use percent_encoding::percent_decode_str;
use url::{Url, form_urlencoded};

/// URL of a list of the gateway.
#[derive(Debug, Clone)]
pub(super) struct Target {
    url: Url,
}

impl Target {
    /// Appends a path and query to the base URL. The result never has another host:
    /// the key is sent to the base URL only.
    pub(super) fn new(base: &Url, query: &str) -> anyhow::Result<Self> {
        check_base(base)?;
        let (path, parameters) = query.split_once('?').map_or((query, None), |(path, rest)| (path, Some(rest)));
        check_path(path).with_context(|| {
            format!("`{query}` is not a path and query of the gateway, such as `/customers?status=active`")
        })?;
        ensure!(!query.contains(|it: char| it.is_control()), "the query contains a control character");
        ensure!(!query.contains('#'), "the query contains `#`; percent-encode the character as `%23`");
        let mut pairs = form_urlencoded::parse(parameters.unwrap_or_default().as_bytes());
        ensure!(pairs.all(|(name, _)| name != "marks"), "the export command sets `marks`; remove the parameter");
        let mut url = base.clone();
        url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
        url.set_query(parameters);
        Ok(Self { url })
    }

    /// Returns the URL of the list.
    pub(super) fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Returns the URL with one more parameter, which replaces the parameter of the
    /// same name.
    pub(super) fn with(&self, name: &str, value: &str) -> Url {
        let is_other = |pair: &&str| form_urlencoded::parse(pair.as_bytes()).all(|(given, _)| given != name);
        let mut url = self.url.clone();
        let others: Vec<_> = self.url.query().unwrap_or_default().split('&').filter(is_other).collect();
        let others = others.join("&");
        url.set_query((!others.is_empty()).then_some(&others));
        url.query_pairs_mut().append_pair(name, value);
        url
    }

    /// Returns the URL without changes.
    pub(super) fn url(&self) -> Url {
        self.url.clone()
    }
}

fn check_base(base: &Url) -> anyhow::Result<()> {
    ensure!(matches!(base.scheme(), "http" | "https") && base.has_host(), "--url must be an http or https URL");
    ensure!(base.username().is_empty() && base.password().is_none(), "--url must not contain a user; set GATEWAY_KEY");
    ensure!(base.query().is_none() && base.fragment().is_none(), "--url must not contain a query or fragment");
    Ok(())
}

fn check_path(path: &str) -> anyhow::Result<()> {
    ensure!(path.starts_with('/') && !path.starts_with("//"), "the path must start with one `/`");
    ensure!(!path.contains('\\'), "the path contains a backslash");
    // A dot segment could leave the path of the base URL. Proxies decode up to twice.
    let mut decoded = path.to_owned();
    for _ in 0..3 {
        if decoded.split(['/', '\\']).any(|segment| matches!(segment, "." | "..")) {
            bail!("the path contains a dot segment");
        }
        decoded = percent_decode_str(&decoded).decode_utf8_lossy().into_owned();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(base: &str, query: &str) -> anyhow::Result<String> {
        Target::new(&base.parse()?, query).map(|target| target.as_str().to_owned())
    }

    #[test]
    fn path_of_base_url_is_kept() {
        for (base, query, url) in [
            ("http://gw.example", "/customers", "http://gw.example/customers"),
            ("http://gw.example/", "/customers?", "http://gw.example/customers?"),
            (
                "https://gw.example:8443/api",
                "/customers?status=a%26b",
                "https://gw.example:8443/api/customers?status=a%26b",
            ),
            ("https://gw.example/api//", "/customers?a=//b", "https://gw.example/api/customers?a=//b"),
            ("https://gw.example/api/", "/customers?name=Jim H", "https://gw.example/api/customers?name=Jim%20H"),
            (
                "https://gw.example",
                "/customers/a.b%2Fc/transactions",
                "https://gw.example/customers/a.b%2Fc/transactions",
            ),
            ("https://gw.example", "/customers/@evil.example", "https://gw.example/customers/@evil.example"),
        ] {
            assert_eq!(resolve(base, query).unwrap(), url);
        }
    }

    #[test]
    fn other_hosts_and_paths_are_rejected() {
        for query in [
            "",
            "customers",
            "?status=active",
            "//evil.example/customers",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example\\",
            "\\/evil.example",
            "http://evil.example/",
            "https://gw.example/customers",
            "http:evil.example",
            "http:/evil.example",
            "HTTPS:\\\\evil.example",
            "@evil.example",
            ":80/customers",
            "user:password@evil.example",
            " //evil.example",
            "\t//evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/customers#fragment",
            "/../admin",
            "/customers/..",
            "/./customers",
            "/%2e%2e/admin",
            "/.%2E/admin",
            "/%252e%252e/admin",
            "/customers/..%2fadmin",
            "/customers/..%5cadmin",
            "/customers\u{0}",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "/customers?marks=none",
            "/customers?a=b&mark%73=all",
        ] {
            assert!(resolve("https://gw.example/api", query).is_err(), "{query:?}");
        }
    }

    #[test]
    fn base_url_with_other_parts_is_rejected() {
        for base in [
            "https://user@gw.example",
            "https://u:p@gw.example/",
            "https://gw.example/?a=b",
            "https://gw.example/#a",
            "ftp://gw.example/",
            "data:text/plain,a",
            "file:///tmp",
        ] {
            assert!(resolve(base, "/customers").is_err(), "{base}");
        }
    }

    #[test]
    fn cursor_replaces_the_cursor_of_the_query() {
        let target = |query| Target::new(&"http://gw.example/api".parse().unwrap(), query).unwrap();
        for (query, url) in [
            ("/customers", "http://gw.example/api/customers?cursor=c%2B1"),
            (
                "/customers?status=a&cursor=c0&order=asc",
                "http://gw.example/api/customers?status=a&order=asc&cursor=c%2B1",
            ),
            ("/customers?curso%72=c0", "http://gw.example/api/customers?cursor=c%2B1"),
        ] {
            assert_eq!(target(query).with("cursor", "c+1").as_str(), url);
        }
    }
}
