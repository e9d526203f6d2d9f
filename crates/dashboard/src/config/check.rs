//! A configuration as it is used: what types cannot say is checked, secrets are read.

use std::{fs, net::IpAddr, path::Path};

use hyper::{Uri, header::HeaderName};

use sentinel_service::{SettingsError, is_remote};

use super::{AccessMode, Config, ConfigError};

/// The token that browsers must know, when no file holds it.
const TOKEN: &str = "SENTINEL_DASHBOARD_TOKEN";
/// The token that detectors want, when no file holds it.
const DETECTOR_TOKEN: &str = "SENTINEL_DETECTOR_TOKEN";
/// Characters; a shorter one can be guessed.
const TOKEN_LEAST: usize = 16;
/// More would make ids of events and each request longer than proxies pass on.
const DETECTORS_MOST: usize = 64;

/// A checked configuration.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    /// Empty, or `/` and words.
    pub(crate) prefix: String,
    pub(crate) hosts: Vec<String>,
    pub(crate) detectors: Vec<Upstream>,
    pub(crate) access: Rule,
}

/// Where a detector is.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    pub(crate) name: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) token: Option<String>,
}

/// Who may look.
#[derive(Debug, Clone)]
pub(crate) enum Rule {
    Open,
    Token(String),
    Header { name: HeaderName, proxies: Vec<IpAddr> },
}

impl Config {
    /// What is wrong with it, before anything starts.
    ///
    /// # Errors
    /// [`ConfigError`], naming key, value and remedy.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.checked().map(drop)
    }

    /// What an operator should be told at the start, and by `sentinel doctor`: what others can reach, read or change.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if is_remote(&self.http.address) {
            let what = match self.access.mode {
                AccessMode::Open => "whoever reaches it can read all alerts; set access.mode",
                AccessMode::Token => {
                    "the token and all alerts pass unencrypted; put a proxy with TLS in front"
                }
                AccessMode::Header => "what the proxies fetch passes unencrypted; let nobody be in between",
            };
            warnings.push(format!("http.address is {}: {what}", self.http.address));
        }
        if let Some(one) = self.detectors.iter().find(|one| is_remote(&one.url)) {
            let what =
                "its alerts, and the token for it, pass unencrypted; put both behind TLS or into one network";
            warnings.push(format!("detectors has {}: {what}", one.url));
        }
        warnings
    }

    pub(crate) fn checked(&self) -> Result<Checked, ConfigError> {
        let prefix = self.http.path_prefix.trim_end_matches('/');
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
        if !prefix.is_empty()
            && (!prefix.starts_with('/') || !prefix.chars().all(plain) || prefix.contains("//"))
        {
            return Err(wrong(
                "http.pathPrefix",
                format!("expected a path such as /sentinel, found {prefix:?}"),
            ));
        }
        Ok(Checked {
            address: ip("http.address", &self.http.address)?,
            port: self.http.port,
            prefix: prefix.to_owned(),
            hosts: self.http.hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
            detectors: self.upstreams()?,
            access: self.rule()?,
        })
    }

    fn upstreams(&self) -> Result<Vec<Upstream>, ConfigError> {
        if self.detectors.is_empty() || self.detectors.len() > DETECTORS_MOST {
            let found = self.detectors.len();
            return Err(wrong(
                "detectors",
                format!("expected 1 to {DETECTORS_MOST} detectors, found {found}"),
            ));
        }
        let mut all: Vec<Upstream> = Vec::new();
        for (at, detector) in self.detectors.iter().enumerate() {
            let key = |name: &str| format!("detectors[{at}].{name}");
            let (host, port) = authority(&detector.url).map_err(|problem| wrong(key("url"), problem))?;
            let name = match detector.name.as_str() {
                "" => format!("{host}:{port}"),
                name => name.to_owned(),
            };
            let allowed = |c: char| c.is_ascii_alphanumeric() || ".:-_[]".contains(c);
            if name.len() > 100 || !name.chars().all(allowed) {
                let problem = format!("expected up to 100 letters, digits and .:-_[], found {name:?}");
                return Err(wrong(key("name"), problem));
            }
            if all.iter().any(|other| other.name == name) {
                return Err(wrong(key("name"), format!("{name:?} is there already; choose another name")));
            }
            let token = secret(&key("tokenFile"), detector.token_file.as_deref(), DETECTOR_TOKEN)?;
            all.push(Upstream { name, host, port, token });
        }
        Ok(all)
    }

    fn rule(&self) -> Result<Rule, ConfigError> {
        match self.access.mode {
            AccessMode::Open => Ok(Rule::Open),
            AccessMode::Token => {
                let token = secret("access.tokenFile", self.access.token_file.as_deref(), TOKEN)?;
                match token {
                    Some(token) if token.len() >= TOKEN_LEAST => Ok(Rule::Token(token)),
                    Some(token) => Err(wrong(
                        "access.tokenFile",
                        format!("the token has {} characters; {TOKEN_LEAST} are the least", token.len()),
                    )),
                    None => Err(wrong("access.tokenFile", format!("no token; name a file or set {TOKEN}"))),
                }
            }
            AccessMode::Header => {
                let name = HeaderName::from_bytes(self.access.header.as_bytes()).map_err(|_| {
                    wrong("access.header", format!("{:?} is no name of a header", self.access.header))
                })?;
                let proxies = self.access.proxies.iter().map(|text| ip("access.proxies", text));
                Ok(Rule::Header { name, proxies: proxies.collect::<Result<_, _>>()? })
            }
        }
    }
}

/// Host and port of `http://HOST[:PORT]`.
fn authority(url: &str) -> Result<(String, u16), String> {
    let expected = || format!("expected http://HOST:PORT, found {url:?}");
    let uri: Uri = url.parse().map_err(|_| expected())?;
    if uri.scheme_str() == Some("https") {
        return Err("https to a detector is not supported; put a TLS tunnel or mesh between them".into());
    }
    if uri.scheme_str() != Some("http") || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(expected());
    }
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(expected)?;
    Ok((host.to_owned(), uri.port_u16().unwrap_or(80)))
}

fn secret(key: &str, file: Option<&Path>, variable: &str) -> Result<Option<String>, ConfigError> {
    let (text, origin) = match file {
        Some(file) => (
            fs::read_to_string(file)
                .map_err(|source| SettingsError::Unreadable { file: file.to_owned(), source })?,
            file.display().to_string(),
        ),
        None => match sentinel_service::secret(variable) {
            Some(text) => (text, variable.to_owned()),
            None => return Ok(None),
        },
    };
    let text = text.trim();
    // What a cookie and a header carry as it is.
    if text.is_empty() || !text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~+/=".contains(c)) {
        return Err(wrong(key, format!("{origin}: expected one word of letters, digits and -._~+/=")));
    }
    Ok(Some(text.to_owned()))
}

fn ip(key: &str, text: &str) -> Result<IpAddr, ConfigError> {
    sentinel_service::address(key, text).map_err(|(key, problem)| wrong(key, problem))
}

fn wrong(key: impl Into<String>, problem: String) -> ConfigError {
    ConfigError::Value { key: key.into(), problem }
}
