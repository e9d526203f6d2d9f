//! Connections, used by threads that may block.

use std::time::Duration;

use sentinel_sink::TlsFiles;
use tokio::{runtime::Handle, time::timeout};
use tokio_postgres::{Client, Config, NoTls, config::SslMode, error::SqlState};
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::debug;

use crate::{config::PostgresUrl, store::StoreError};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take: the server gives up before.
const ANSWER: Duration = Duration::from_secs(20);
/// What every session sets. A detector that is cut off in the middle must not hold up the others, and nothing is
/// acknowledged that a crash of the server could take back.
const SETTINGS: &str = "SET application_name = 'sentinel-detector';
    SET search_path = sentinel;
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '15s';
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// Where the database is, and how to speak to it.
#[derive(Clone)]
pub(crate) struct Server {
    config: Config,
    tls: TlsFiles,
    runtime: Handle,
    /// For people.
    place: String,
}

impl Server {
    pub(crate) fn new(url: &PostgresUrl, tls: TlsFiles, runtime: Handle) -> Self {
        let mut config = url.config();
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        Self { config, tls, runtime, place: url.to_string() }
    }

    /// Connects; blocks.
    pub(super) fn connect(&self, statement_timeout: Duration) -> Result<Session, StoreError> {
        let client = self.runtime.block_on(async {
            let encrypted = self.config.get_ssl_mode() != SslMode::Disable;
            let settings = format!("{SETTINGS}; SET statement_timeout = {}", statement_timeout.as_millis());
            let connecting = async {
                let client = if encrypted {
                    let tls = self.tls.client("history.postgresTls").map_err(|error| error.to_string())?;
                    let connected = self.config.connect(MakeRustlsConnect::new(tls)).await;
                    let (client, connection) = connected.map_err(|error| described(&error))?;
                    self.runtime.spawn(ended(connection));
                    client
                } else {
                    let connected = self.config.connect(NoTls).await;
                    let (client, connection) = connected.map_err(|error| described(&error))?;
                    self.runtime.spawn(ended(connection));
                    client
                };
                client.batch_execute(&settings).await.map_err(|error| described(&error))?;
                Ok(client)
            };
            timeout(ANSWER, connecting).await.unwrap_or_else(|_| Err("no answer".to_owned()))
        });
        let client =
            client.map_err(|problem| StoreError::Unreachable { server: self.to_string(), problem })?;
        Ok(Session { client, runtime: self.runtime.clone() })
    }
}

/// Without user and password.
impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.place)
    }
}

/// A connection works for as long as this runs.
async fn ended<S, T>(connection: tokio_postgres::Connection<S, T>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    if let Err(error) = connection.await {
        debug!(error = described(&error), "A connection to PostgreSQL has ended.");
    }
}

/// An open connection.
pub(super) struct Session {
    client: Client,
    runtime: Handle,
}

impl Session {
    /// Asks, and blocks until there is an answer.
    pub(super) fn wait<T>(
        &mut self,
        ask: impl AsyncFnOnce(&mut Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        let asked = ask(&mut self.client);
        match self.runtime.block_on(async { timeout(ANSWER, asked).await }) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if error.code() == Some(&SqlState::QUERY_CANCELED) => Err(StoreError::TooLong),
            Ok(Err(error)) => Err(StoreError::Server(described(&error))),
            Err(_) => Err(StoreError::Server("PostgreSQL does not answer".into())),
        }
    }
}

/// The error with its causes, each once: alone it says little.
pub(super) fn described(error: &tokio_postgres::Error) -> String {
    if let Some(database) = error.as_db_error() {
        let detail = database.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
        return format!("{}{detail}", database.message());
    }
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = cause.source();
    }
    text
}
