//! `[telemetry]`: export of spans to a collector.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::telemetry::trace::Otlp;

use super::{
    ConfigError,
    error::Fault,
    file::{self, Secret},
    reader::{Reader, parse_base_url},
};

impl Reader<'_> {
    pub(super) fn telemetry(&self, section: file::Telemetry) -> Option<Otlp> {
        let endpoint = self.required("telemetry", "otlp_endpoint", section.otlp_endpoint);
        let traces_url = endpoint.and_then(|endpoint| self.keep(self.traces_url(&endpoint)));
        let headers = self.keep(self.collector_headers(&section.headers));
        if section.service_name.as_ref().is_some_and(String::is_empty) {
            let fault = Fault::new("`service_name` must not be empty").fix("write a name, or remove the key");
            self.keep::<()>(Err(self.error("telemetry.service_name", fault)));
        }
        Some(Otlp {
            traces_url: traces_url?,
            headers: headers?,
            service_name: section.service_name.unwrap_or_else(|| env!("CARGO_PKG_NAME").to_owned()),
            sample: section.sample.map_or(1.0, |it| it.0),
        })
    }

    fn traces_url(&self, endpoint: &str) -> Result<Url, ConfigError> {
        let url = parse_base_url(endpoint)
            .and_then(|url| Url::parse(&format!("{}/v1/traces", url.as_str().trim_end_matches('/'))).ok());
        url.ok_or_else(|| {
            let fault = Fault::new("invalid collector URL")
                .fix("write an http or https URL without query and password, such as \"http://collector:4318\"");
            self.error("telemetry.otlp_endpoint", fault)
        })
    }

    fn collector_headers(&self, section: &BTreeMap<String, Secret>) -> Result<HeaderMap, ConfigError> {
        let mut headers = HeaderMap::new();
        for (name, secret) in section {
            let at = format!("telemetry.headers.{name}");
            let header = HeaderName::try_from(name).map_err(|_| {
                self.error(&at, Fault::new("invalid header name").fix("write a name such as authorization"))
            })?;
            let mut value = HeaderValue::try_from(self.secret(&at, secret)?).map_err(|_| {
                let fault = Fault::new("the secret contains a character that is not allowed in a header")
                    .fix("check the variable or file that contains the secret");
                self.error(&at, fault)
            })?;
            value.set_sensitive(true);
            if headers.insert(header, value).is_some() {
                let fault = Fault::new("duplicate header").fix("write each header once; names are case-insensitive");
                return Err(self.error(&at, fault));
            }
        }
        Ok(headers)
    }
}
