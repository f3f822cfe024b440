//! Servers behind a URL.

use ::redis::{
    Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisError, TlsMode,
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::shared::{InvalidUrl, RedisUrl};

/// Servers behind a URL.
#[derive(Debug)]
pub(in crate::shared) enum Address {
    /// One server.
    Server(Box<ConnectionInfo>),
    /// Sentinels, which name the current primary of a service.
    Sentinels(Sentinels),
}

/// Sentinels of a service. The user and password are those of the service.
#[derive(Debug)]
pub(in crate::shared) struct Sentinels {
    hosts: Vec<(String, u16)>,
    service: String,
    is_tls: bool,
    username: Option<SecretString>,
    password: Option<SecretString>,
}

/// Port of a sentinel without a port.
const SENTINEL_PORT: u16 = 26379;

/// Source of connections to the server that accepts writes.
pub(super) enum Connector {
    Server(Box<Client>),
    /// Asks the sentinels for the current primary.
    Sentinels(Box<SentinelClient>),
}

impl Address {
    /// Parses a URL.
    pub(in crate::shared) fn parse(url: &RedisUrl) -> Result<Self, InvalidUrl> {
        let text = url.expose();
        for (scheme, is_tls) in [("redis+sentinel://", false), ("rediss+sentinel://", true)] {
            if let Some(rest) = text.strip_prefix(scheme) {
                return sentinels(rest, is_tls).map(Self::Sentinels);
            }
        }
        let info = text.into_connection_info().map_err(|_| InvalidUrl)?;
        match info.addr() {
            ConnectionAddr::Unix(_) => Err(InvalidUrl),
            _ => Ok(Self::Server(Box::new(info))),
        }
    }

    /// Creates a source of connections, without a connection.
    pub(super) fn connector(self) -> Result<Connector, RedisError> {
        let Sentinels { hosts, service, is_tls, username, password } = match self {
            Self::Server(info) => return Client::open(*info).map(|client| Connector::Server(Box::new(client))),
            Self::Sentinels(sentinels) => sentinels,
        };
        let address = |(host, port)| {
            if is_tls {
                ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
            } else {
                ConnectionAddr::Tcp(host, port)
            }
        };
        let hosts = hosts.into_iter().map(address);
        let mut builder = SentinelClientBuilder::new(hosts, service, SentinelServerType::Master)?;
        if is_tls {
            builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        }
        if let Some(username) = &username {
            builder = builder.set_client_to_redis_username(username.expose_secret());
        }
        if let Some(password) = &password {
            builder = builder.set_client_to_redis_password(password.expose_secret());
        }
        builder.build().map(|client| Connector::Sentinels(Box::new(client)))
    }
}

impl Connector {
    /// Returns a client of the server that accepts writes now.
    pub(super) async fn client(&mut self) -> Result<Client, RedisError> {
        match self {
            Self::Server(client) => Ok(Client::clone(client)),
            Self::Sentinels(sentinels) => sentinels.async_get_client().await,
        }
    }
}

/// Parses `user:password@host:port,host:port/service`.
fn sentinels(rest: &str, is_tls: bool) -> Result<Sentinels, InvalidUrl> {
    let (authority, service) = rest.split_once('/').ok_or(InvalidUrl)?;
    let (user_info, hosts) = authority.rsplit_once('@').map_or(("", authority), |(user, hosts)| (user, hosts));
    if service.is_empty() || service.contains(['/', '?', '#']) {
        return Err(InvalidUrl);
    }
    // One URL per host, so `url` decodes and validates the parts.
    let urls = hosts.split(',').map(|host| Url::parse(&format!("sentinel://{user_info}@{host}")).ok());
    let urls = urls.collect::<Option<Vec<_>>>().ok_or(InvalidUrl)?;
    let host = |url: &Url| Some((url.host_str()?.to_owned(), url.port().unwrap_or(SENTINEL_PORT)));
    let hosts = urls.iter().map(host).collect::<Option<Vec<_>>>().ok_or(InvalidUrl)?;
    let decode = |text: &str| {
        let decoded = percent_encoding::percent_decode_str(text).decode_utf8().map_err(|_| InvalidUrl)?;
        Ok((!decoded.is_empty()).then(|| decoded.into_owned().into()))
    };
    let first = urls.first().ok_or(InvalidUrl)?;
    Ok(Sentinels {
        hosts,
        service: service.to_owned(),
        is_tls,
        username: decode(first.username())?,
        password: decode(first.password().unwrap_or_default())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_urls_are_accepted() {
        for url in [
            "redis://localhost",
            "redis://user:pass@cache.internal:6380/2",
            "rediss://:secret@cache.internal",
            "valkey://localhost:6379",
            "redis+sentinel://a:26379,b,c:1/main",
            "rediss+sentinel://user:p%40ss@a,b/main",
        ] {
            assert!(RedisUrl::parse(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn invalid_urls_are_rejected() {
        for url in [
            "",
            "localhost:6379",
            "http://localhost",
            "redis://",
            "redis://localhost/one",
            "redis+unix:///run/redis.sock",
            "redis+sentinel://a",
            "redis+sentinel://a/",
            "redis+sentinel:///main",
            "redis+sentinel://a:port/main",
        ] {
            assert_eq!(RedisUrl::parse(url).err(), Some(InvalidUrl), "{url}");
        }
    }

    #[test]
    fn sentinels_are_parsed() {
        let url = RedisUrl::parse("rediss+sentinel://user:p%40ss@a,b:7/main").unwrap();
        let Address::Sentinels(sentinels) = Address::parse(&url).unwrap() else { panic!("not sentinels") };
        assert_eq!(sentinels.hosts, [("a".to_owned(), 26379), ("b".to_owned(), 7)]);
        assert_eq!((sentinels.service.as_str(), sentinels.is_tls), ("main", true));
        assert_eq!(sentinels.password.unwrap().expose_secret(), "p@ss");
        assert_eq!(format!("{url:?}"), "RedisUrl([redacted])");
    }
}
