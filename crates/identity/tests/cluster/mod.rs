//! An API server in small: what Kubernetes answers to a list and a watch of pods, as recorded from real ones, and what
//! goes wrong with it: versions that are forgotten, tokens that end, connections that break, answers without measure.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use serde_json::{Value, json};

pub const NODE: &str = "node-1.example";

/// The server, and a directory with credentials for it.
pub struct Cluster {
    pub dir: tempfile::TempDir,
    pub address: SocketAddr,
    shared: Arc<Shared>,
    tls: Arc<ServerConfig>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
pub struct State {
    /// What it accepts.
    pub token: String,
    /// Status of every answer, in place of the right one.
    pub status: Option<u16>,
    /// In place of every answer.
    pub raw: Option<String>,
    /// A list's spare bytes.
    pub ballast: usize,
    /// Pods on a page; 0: all.
    pub page: usize,
    /// A watch is refused by a status of HTTP when its version is too old, else by an event.
    pub gone_by_status: bool,
    /// Paths that were asked for, in order.
    pub requests: Vec<String>,
    version: u64,
    /// Versions below are forgotten.
    oldest: u64,
    pods: BTreeMap<String, Value>,
    history: Vec<(u64, String)>,
    /// Raised: all watches break off.
    cuts: u64,
    /// No more connections are taken.
    away: bool,
}

impl Cluster {
    pub fn start() -> Self {
        let (dir, tls) = (tempfile::tempdir().unwrap(), authority());
        std::fs::write(dir.path().join("ca.crt"), tls.0).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let shared = Arc::new(Shared::default());
        let cluster = Self { dir, address: listener.local_addr().unwrap(), shared, tls: tls.1 };
        cluster.state().version = 1000;
        cluster.token("one");
        cluster.serve(listener);
        cluster
    }

    fn serve(&self, listener: TcpListener) {
        let (shared, tls) = (Arc::clone(&self.shared), Arc::clone(&self.tls));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.lock().away {
                    return;
                }
                let (shared, tls) = (Arc::clone(&shared), Arc::clone(&tls));
                let connection = ServerConnection::new(tls).unwrap();
                let stream = StreamOwned::new(connection, stream.unwrap());
                // Whoever asked may have gone.
                thread::spawn(move || drop(answer(&shared, stream)));
            }
        });
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    /// The token that is accepted from now on, and the one in the file.
    pub fn token(&self, token: &str) {
        self.state().token = token.into();
        std::fs::write(self.path("token"), token).unwrap();
    }

    /// A pod was added or changed.
    pub fn put(&self, pod: Value) {
        self.change(&pod, |state, uid, pod| {
            let known = state.pods.insert(uid, pod).is_some();
            if known { "MODIFIED" } else { "ADDED" }
        });
    }

    pub fn delete(&self, pod: &Value) {
        self.change(pod, |state, uid, _| {
            state.pods.remove(&uid);
            "DELETED"
        });
    }

    fn change(&self, pod: &Value, how: impl FnOnce(&mut State, String, Value) -> &'static str) {
        let mut state = self.state();
        state.version += 1;
        let (version, mut pod) = (state.version, pod.clone());
        pod["metadata"]["resourceVersion"] = version.to_string().into();
        let uid = pod["metadata"]["uid"].as_str().unwrap().to_owned();
        let kind = how(&mut state, uid, pod.clone());
        state.history.push((version, json!({"type": kind, "object": pod}).to_string()));
        drop(state);
        self.shared.changed.notify_all();
    }

    /// The version moves on, and watches hear of nothing else.
    pub fn bookmark(&self) -> u64 {
        let mut state = self.state();
        state.version += 100;
        let version = state.version;
        let mark = json!({"kind": "Pod", "apiVersion": "v1",
            "metadata": {"resourceVersion": version.to_string(), "creationTimestamp": null},
            "spec": {"containers": null}, "status": {}});
        state.history.push((version, json!({"type": "BOOKMARK", "object": mark}).to_string()));
        drop(state);
        self.shared.changed.notify_all();
        version
    }

    /// A line that is no event.
    pub fn nonsense(&self, line: &str) {
        let mut state = self.state();
        state.version += 1;
        let version = state.version;
        state.history.push((version, line.into()));
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Nothing before now is remembered; watches break off.
    pub fn forget(&self) {
        let mut state = self.state();
        state.version += 1;
        state.oldest = state.version;
        state.history.clear();
        drop(state);
        self.cut();
    }

    /// Every watch breaks off in the middle.
    pub fn cut(&self) {
        self.state().cuts += 1;
        self.shared.changed.notify_all();
    }

    /// The server goes, and its port refuses.
    pub fn leave(&self) {
        self.state().away = true;
        self.cut();
        let deadline = Instant::now() + Duration::from_secs(10);
        // The first connection wakes the listener, which then closes.
        while TcpStream::connect(self.address).is_ok() {
            assert!(Instant::now() < deadline, "it does not go");
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn come_back(&self) {
        self.state().away = false;
        let deadline = Instant::now() + Duration::from_secs(10);
        let listener = loop {
            match TcpListener::bind(self.address) {
                Ok(listener) => break listener,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            thread::sleep(Duration::from_millis(10));
        };
        self.serve(listener);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// A certificate for 127.0.0.1, and its authority's in PEM.
fn authority() -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".into(), "kubernetes.default.svc".into()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    (issuer.pem(), Arc::new(builder.with_single_cert(chain, key).unwrap()))
}

type Stream = StreamOwned<ServerConnection, TcpStream>;

fn answer(shared: &Shared, stream: Stream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut request, mut token) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if let Some(value) = line.strip_prefix("authorization: Bearer ") {
            token = value.trim().into();
        }
        if line == "\r\n" {
            break;
        }
        if request.is_empty() {
            request = line.split(' ').nth(1).unwrap().into();
        }
    }
    let mut stream = stream.into_inner();
    let mut state = shared.lock();
    state.requests.push(request.clone());
    let (raw, status) = (state.raw.clone(), state.status);
    let (authorized, cuts) = (state.token == token, state.cuts);
    drop(state);
    let query = |key: &str| {
        request
            .split(['?', '&'])
            .find_map(|part| part.strip_prefix(key)?.strip_prefix('='))
            .map(str::to_owned)
    };
    assert_eq!(query("fieldSelector").unwrap(), format!("spec.nodeName%3D{NODE}"), "only our node's");
    match (raw, status) {
        (Some(raw), _) => stream.write_all(raw.as_bytes())?,
        (_, Some(status)) => refuse(&mut stream, status)?,
        _ if !authorized => refuse(&mut stream, 401)?,
        _ if query("watch").is_some() => {
            watch(shared, &mut stream, &query("resourceVersion").unwrap(), cuts)?
        }
        _ => list(shared, &mut stream, query("continue").as_deref())?,
    }
    stream.flush()
}

fn refuse(stream: &mut Stream, code: u16) -> std::io::Result<()> {
    let body = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "said so", "reason": "Unknown", "code": code});
    reply(stream, &format!("{code} X"), &body.to_string())
}

fn reply(stream: &mut Stream, status: &str, body: &str) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())
}

fn list(shared: &Shared, stream: &mut Stream, from: Option<&str>) -> std::io::Result<()> {
    let state = shared.lock();
    let from: usize = from.map_or(0, |from| from.parse().unwrap());
    let page = if state.page == 0 { usize::MAX } else { state.page };
    let items: Vec<&Value> = state.pods.values().skip(from).take(page).collect();
    let more = from + items.len() < state.pods.len();
    let mut metadata = json!({"resourceVersion": state.version.to_string()});
    if more {
        metadata["continue"] = (from + items.len()).to_string().into();
        metadata["remainingItemCount"] = (state.pods.len() - from - items.len()).into();
    }
    let body = json!({"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": items,
        "ballast": "x".repeat(state.ballast)});
    drop(state);
    reply(stream, "200 OK", &body.to_string())
}

/// Until there is another number of cuts.
fn watch(shared: &Shared, stream: &mut Stream, version: &str, cuts: u64) -> std::io::Result<()> {
    let mut version: u64 = version.parse().unwrap();
    let mut state = shared.lock();
    let (old, by_status) = (version < state.oldest, state.gone_by_status);
    if old && by_status {
        drop(state);
        return refuse(stream, 410);
    }
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes())?;
    if old {
        let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired",
            "message": format!("too old resource version: {version} ({})", state.oldest), "code": 410});
        let line = json!({"type": "ERROR", "object": status}).to_string();
        drop(state);
        chunk(stream, &line)?;
        return stream.write_all(b"0\r\n\r\n");
    }
    while state.cuts == cuts && !state.away {
        let news: Vec<_> = state.history.iter().filter(|(at, _)| *at > version).cloned().collect();
        if news.is_empty() {
            stream.flush()?;
            state = shared.changed.wait_timeout(state, Duration::from_secs(30)).unwrap().0;
            continue;
        }
        drop(state);
        for (at, line) in news {
            version = at;
            chunk(stream, &line)?;
        }
        state = shared.lock();
    }
    // No last chunk: it breaks off.
    Ok(())
}

/// In two pieces, as large lines come.
fn chunk(stream: &mut Stream, line: &str) -> std::io::Result<()> {
    let line = format!("{line}\n");
    let (one, other) = line.as_bytes().split_at(line.len() / 2);
    for part in [one, other] {
        stream.write_all(format!("{:x}\r\n", part.len()).as_bytes())?;
        stream.write_all(part)?;
        stream.write_all(b"\r\n")?;
        stream.flush()?;
    }
    Ok(())
}

/// A pod as the server tells it, the parts that nobody needs included.
pub fn pod(uid: &str, name: &str, owner: Option<(&str, &str)>, labels: &[(&str, &str)]) -> Value {
    let labels: BTreeMap<_, _> = labels.iter().copied().collect();
    let owners = owner.map(|(kind, name)| {
        json!([{"apiVersion": "apps/v1", "kind": kind, "name": name,
            "uid": "11111111-0000-4000-8000-000000000000", "controller": true, "blockOwnerDeletion": true}])
    });
    json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {
            "name": name, "generateName": format!("{name}-"), "namespace": "shop", "uid": uid,
            "resourceVersion": "1", "creationTimestamp": "2026-11-22T10:00:00Z",
            "labels": labels, "annotations": {"kubectl.kubernetes.io/restartedAt": "2026-11-22T10:00:00Z"},
            "ownerReferences": owners,
            "managedFields": [{"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1",
                "time": "2026-11-22T10:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {"f:labels": {".": {}}}}}],
        },
        "spec": {
            "volumes": [{"name": "kube-api-access", "projected": {"sources": [{"serviceAccountToken":
                {"expirationSeconds": 3607, "path": "token"}}], "defaultMode": 420}}],
            "containers": [{"name": "web", "image": "registry.example/web:1", "resources": {},
                "terminationMessagePath": "/dev/termination-log", "imagePullPolicy": "IfNotPresent"}],
            "restartPolicy": "Always", "serviceAccountName": "web", "serviceAccount": "web", "nodeName": NODE,
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute",
                "tolerationSeconds": 300}], "priority": 0,
        },
        "status": {
            "phase": "Running", "hostIP": "192.0.2.10", "podIP": "10.1.0.7", "podIPs": [{"ip": "10.1.0.7"}],
            "conditions": [{"type": "Ready", "status": "True", "lastProbeTime": null}], "qosClass": "BestEffort",
            "containerStatuses": [{"name": "web", "ready": true, "restartCount": 0, "state": {"running": {}}}],
        },
    })
}
