//! TLS as a client, from files that may change.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

use crate::{SinkError, TlsFiles};

/// When each of the files was changed last; different when any was.
pub(crate) type Stamp = [Option<SystemTime>; 3];

impl TlsFiles {
    /// When the files were changed last.
    pub(crate) fn stamp(&self) -> Stamp {
        let changed =
            |path: &Option<PathBuf>| fs::metadata(path.as_ref()?).and_then(|file| file.modified()).ok();
        [changed(&self.ca), changed(&self.cert), changed(&self.key)]
    }

    /// What the files say. `place` is where they are named.
    ///
    /// # Errors
    /// [`SinkError`]: a file cannot be read or does not hold what it should.
    pub fn client(&self, place: &str) -> Result<ClientConfig, SinkError> {
        let invalid =
            |key: &str, problem: String| SinkError::Invalid { key: format!("{place}.{key}"), problem };
        let mut roots = RootCertStore::empty();
        match &self.ca {
            Some(path) => {
                for certificate in certificates(place, "ca", path)? {
                    roots
                        .add(certificate)
                        .map_err(|error| invalid("ca", format!("{}: {error}", path.display())))?;
                }
            }
            None => {
                for certificate in rustls_native_certs::load_native_certs().certs {
                    // One that is not right costs itself.
                    let _ = roots.add(certificate);
                }
                if roots.is_empty() {
                    let problem = "the system has no certificate authorities; install them or name a file";
                    return Err(invalid("ca", problem.into()));
                }
            }
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| invalid("ca", error.to_string()))?
            .with_root_certificates(roots);
        match (&self.cert, &self.key) {
            (None, None) => Ok(builder.with_no_client_auth()),
            (Some(cert), Some(key)) => {
                let pem = read(place, "key", key)?;
                let key_der = PrivateKeyDer::from_pem_slice(&pem)
                    .map_err(|error| invalid("key", format!("{}: {error}", key.display())))?;
                builder
                    .with_client_auth_cert(certificates(place, "cert", cert)?, key_der)
                    .map_err(|error| invalid("cert", format!("{}: {error}", cert.display())))
            }
            (Some(_), None) => Err(invalid("key", "missing; cert needs its key".into())),
            (None, Some(_)) => Err(invalid("cert", "missing; key needs its certificate".into())),
        }
    }
}

fn certificates(place: &str, key: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, SinkError> {
    let pem = read(place, key, path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let problem = match found {
        Ok(found) if !found.is_empty() => return Ok(found),
        Ok(_) => "no certificate in it; expected PEM".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(SinkError::Invalid {
        key: format!("{place}.{key}"),
        problem: format!("{}: {problem}", path.display()),
    })
}

fn read(place: &str, key: &str, path: &Path) -> Result<Vec<u8>, SinkError> {
    fs::read(path).map_err(|source: io::Error| SinkError::Unreadable {
        key: format!("{place}.{key}"),
        file: path.to_owned(),
        source,
    })
}
