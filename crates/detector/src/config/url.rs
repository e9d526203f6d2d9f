//! An address with a password in it.

use std::{fmt, str::FromStr as _};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tokio_postgres::config::{Config, Host, SslMode};

/// Overrides the password, so that the secret need not be in the file.
const PASSWORD: &str = "SENTINEL_POSTGRES_PASSWORD";

/// Where a PostgreSQL database is: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=require`. Its password is
/// never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl PostgresUrl {
    /// How to connect, with the password of the environment, if there is one.
    pub(crate) fn config(&self) -> Config {
        // It was parsed before.
        let mut config = Config::from_str(&self.0).unwrap_or_default();
        if let Some(password) = sentinel_service::secret(PASSWORD) {
            config.password(password);
        }
        config
    }

    /// Where it is, when whoever is in between could read and change what we say.
    pub(super) fn is_open(&self) -> bool {
        let config = self.config();
        let beyond = |host: &Host| match host {
            Host::Unix(_) => false,
            // An IPv6 address, too, stands there without a port.
            Host::Tcp(name) => sentinel_service::is_remote(name),
        };
        config.get_ssl_mode() != SslMode::Require && config.get_hosts().iter().any(beyond)
    }
}

/// Server and database, without user and password.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = self.config();
        let ports = config.get_ports();
        let hosts = config.get_hosts().iter().enumerate().map(|(place, host)| match host {
            Host::Tcp(host) => {
                let port = ports.get(place).or(ports.first()).unwrap_or(&5432);
                if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
            }
            Host::Unix(path) => path.display().to_string(),
        });
        let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
        write!(f, "postgresql://{}/{database}", hosts.collect::<Vec<_>>().join(","))
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for PostgresUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PostgresUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let expected = "expected postgresql://USER@HOST:PORT/DATABASE?sslmode=require";
        // The text may hold a password: it is not repeated.
        let config =
            Config::from_str(&text).map_err(|error| de::Error::custom(format!("{error}; {expected}")))?;
        if !text.starts_with("postgresql://") && !text.starts_with("postgres://") {
            return Err(de::Error::custom(expected));
        }
        if config.get_hosts().is_empty() || config.get_user().is_none() {
            return Err(de::Error::custom(format!("a host or a user is missing; {expected}")));
        }
        Ok(Self(text))
    }
}
