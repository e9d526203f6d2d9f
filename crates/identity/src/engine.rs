//! The API of Docker and podman: HTTP over a socket, two requests that read.

use std::{collections::BTreeMap, path::Path, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::{Request, StatusCode, client::conn::http1};
use hyper_util::rt::TokioIo;
use sentinel_event::{Container, ContainerMount, Pod, Runtime};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::{net::UnixStream, task::JoinSet, time::timeout};

use crate::{
    image::{complete, image},
    runtimes::{ANSWER_MAX, AskError},
};

/// How long the digest of an image is waited for: nice to have.
const DIGEST: Duration = Duration::from_millis(200);

/// What `GET /containers/ID/json` says, as far as it is used.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Described {
    id: String,
    name: String,
    /// The image's id.
    image: String,
    created: String,
    state: State,
    config: Config,
    host_config: Host,
    mounts: Option<Vec<Mount>>,
    network_settings: Network,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct State {
    started_at: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Config {
    image: String,
    labels: Option<BTreeMap<String, String>>,
    healthcheck: Option<Healthcheck>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Healthcheck {
    test: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Host {
    privileged: Option<bool>,
    pid_mode: String,
    network_mode: String,
    ipc_mode: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Mount {
    source: String,
    destination: String,
    mode: String,
    #[serde(rename = "RW")]
    rw: bool,
    propagation: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Network {
    #[serde(rename = "IPAddress")]
    ip: String,
}

/// What `GET /images/ID/json` says.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct ImageDescribed {
    repo_digests: Option<Vec<String>>,
}

/// What the runtime at `path` knows of a container; none when it knows no such.
pub(crate) async fn ask(path: &Path, runtime: Runtime, id: &str) -> Result<Option<Container>, AskError> {
    let Some(told) = get::<Described>(path, &format!("/containers/{id}/json")).await? else {
        return Ok(None);
    };
    if told.id != id {
        return Err(AskError::Malformed("another container"));
    }
    let mut found = container(told, runtime);
    let image = &found.image.id;
    if found.image.digest.is_empty() && !image.is_empty() && image.bytes().all(|b| b.is_ascii_hexdigit()) {
        // The container is known, whatever becomes of this.
        let uri = format!("/images/{image}/json");
        let described = timeout(DIGEST, get::<ImageDescribed>(path, &uri)).await;
        if let Ok(Ok(Some(ImageDescribed { repo_digests: Some(digests) }))) = described
            && let Some(digest) = digests.first()
        {
            complete(&mut found.image, digest);
        }
    }
    Ok(Some(found))
}

fn container(told: Described, runtime: Runtime) -> Container {
    let labels: Vec<_> = told.config.labels.unwrap_or_default().into_iter().collect();
    let mount = |mount: Mount| ContainerMount {
        source: mount.source,
        destination: mount.destination,
        mode: mount.mode,
        writable: mount.rw,
        propagation: mount.propagation,
    };
    // "CMD" or "CMD-SHELL" comes first.
    let test = told.config.healthcheck.and_then(|check| check.test).unwrap_or_default();
    let is_host = |mode: &str| (!mode.is_empty()).then_some(mode == "host");
    Container {
        name: told.name.trim_start_matches('/').to_owned(),
        runtime: Some(runtime),
        image: image(&told.config.image, &told.image),
        privileged: told.host_config.privileged,
        mounts: told.mounts.unwrap_or_default().into_iter().map(mount).collect(),
        started_ns: nanoseconds(&told.state.started_at).or_else(|| nanoseconds(&told.created)),
        ip: told.network_settings.ip,
        host_pid: is_host(&told.host_config.pid_mode),
        host_network: is_host(&told.host_config.network_mode),
        host_ipc: is_host(&told.host_config.ipc_mode),
        healthcheck: test.get(1..).unwrap_or_default().join(" "),
        is_sandbox: false,
        pod: pod(&labels).map(Into::into),
        id: told.id,
        labels,
    }
}

/// What the kubelet writes on containers that it has Docker run.
fn pod(labels: &[(String, String)]) -> Option<Pod> {
    let label = |key: &str| labels.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
    Some(Pod {
        name: label("io.kubernetes.pod.name")?,
        namespace: label("io.kubernetes.pod.namespace")?,
        uid: label("io.kubernetes.pod.uid").unwrap_or_default(),
        sandbox: label("io.kubernetes.sandbox.id").unwrap_or_default(),
        ..Pod::default()
    })
}

/// Of RFC 3339. Docker writes the year 1 for what has not happened.
fn nanoseconds(text: &str) -> Option<u64> {
    let time = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    time.timestamp_nanos_opt().and_then(|ns| u64::try_from(ns).ok()).filter(|ns| *ns > 0)
}

async fn get<T: DeserializeOwned>(path: &Path, uri: &str) -> Result<Option<T>, AskError> {
    let stream = UnixStream::connect(path).await.map_err(|error| AskError::of(&error))?;
    let failed = |error: hyper::Error| AskError::Failed(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let request = Request::get(uri).header("host", "localhost").body(Empty::<Bytes>::new());
    let request = request.map_err(|_| AskError::Malformed("its id"))?;
    // It works while the answer is waited for, and ends when nobody waits any more.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = sender.send_request(request).await.map_err(failed)?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Ok(None),
        status => return Err(AskError::Failed(format!("it says {status}"))),
    }
    let body = Limited::new(response.into_body(), ANSWER_MAX).collect().await;
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => AskError::Malformed("too many bytes"),
        false => AskError::Failed(error.to_string()),
    })?;
    let told = serde_json::from_slice(&body.to_bytes());
    told.map(Some).map_err(|_| AskError::Malformed("not what the API says"))
}

#[cfg(test)]
mod tests;
