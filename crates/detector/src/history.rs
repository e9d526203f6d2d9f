//! Which history it is: a file of our own, or a server's that several detectors share.

use tokio::{runtime::Handle, task::spawn_blocking};

use crate::{
    DetectorError,
    config::History,
    store::{
        Library, PostgresReader, PostgresWriter, Reader, Server, SqliteReader, SqliteWriter, StoreError,
        Writer, newest,
    },
};

/// An open history.
pub(crate) struct Opened {
    pub(crate) writer: Box<dyn Writer>,
    pub(crate) library: Library,
    /// Others write into it; the last alert that is there.
    pub(crate) shared: Option<u64>,
    /// Where it is, for people.
    pub(crate) place: String,
}

/// Opens what the configuration names.
pub(crate) async fn open(config: &History) -> Result<Opened, DetectorError> {
    let failed = |error: StoreError| DetectorError::History(error.to_string());
    let retention = config.retention.clone();
    let Some(url) = &config.postgres_url else {
        let path = config.path.clone();
        let place = path.display().to_string();
        let writer = SqliteWriter::open(&path, &retention).map_err(failed)?;
        let library = Library::new(move || Ok(Box::new(SqliteReader::open(&path)?) as Box<dyn Reader>));
        return Ok(Opened { writer: Box::new(writer), library, shared: None, place });
    };
    let server = Server::new(url, config.postgres_tls.files(), Handle::current());
    let (place, readers) = (server.to_string(), server.clone());
    let opening = spawn_blocking(move || PostgresWriter::open(&server, &retention));
    let writer = opening.await.unwrap_or(Err(StoreError::Stopping)).map_err(failed)?;
    let library = Library::new(move || Ok(Box::new(PostgresReader::open(&readers)?) as Box<dyn Reader>));
    let shared = newest(&library).await.map_err(failed)?;
    Ok(Opened { writer: Box::new(writer), library, shared: Some(shared), place })
}
