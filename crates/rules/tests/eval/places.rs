//! Fields of containers, pods, units and users.

use std::sync::Arc;

use sentinel_event::{
    Container, ContainerMount, Group, Image, Known, Observation, Owner, Place, Pod, Runtime, User, Users,
    Workload,
};

use sentinel_rules::language::eval::{Engine, Memory, Selection};

use crate::build::{NOW, check, contained, load, open, rendered, rule};

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn container() -> Container {
    let mount = |source: &str, destination: &str, writable| ContainerMount {
        source: source.into(),
        destination: destination.into(),
        mode: "rw".into(),
        writable,
        propagation: "rprivate".into(),
    };
    let labels = vec![("app".into(), "shop".into()), ("io.x/y".into(), "".into())];
    Container {
        name: "web".into(),
        runtime: Some(Runtime::Containerd),
        image: Image {
            name: "registry.example/web:1".into(),
            id: "0123".into(),
            repository: "registry.example/web".into(),
            tag: "1".into(),
            digest: DIGEST.into(),
        },
        privileged: Some(true),
        mounts: vec![mount("/proc", "/host/proc", false), mount("/srv", "/data", true)],
        labels: labels.clone(),
        started_ns: Some(NOW - 5_000_000_000),
        ip: "10.0.0.7".into(),
        host_network: Some(false),
        pod: Some(Arc::new(Pod {
            name: "web-1".into(),
            namespace: "shop".into(),
            uid: "uid-1".into(),
            sandbox: "b".repeat(64),
            ip: "10.0.0.7".into(),
            labels,
            ..Pod::default()
        })),
        ..Container::default()
    }
}

fn with(container: Known<Container>, place: Place, users: Known<Users>) -> Observation {
    let mut observation = contained(open("/etc/hosts", libc::O_RDONLY));
    observation.workload =
        Some(Arc::new(Workload { place: place.into(), container, users, ..Workload::default() }));
    observation
}

#[test]
fn what_the_runtime_says_fills_the_fields_of_container_and_pod() {
    let told = with(Known::Yes(container().into()), Place::default(), Known::No);
    check(
        &told,
        &[
            ("container.name = web and container.type = containerd and container.privileged = true", true),
            ("container.image = registry.example/web:1 and container.image.repository endswith /web", true),
            (
                "container.image.tag = 1 and container.image.digest startswith sha256: and container.image.id = 0123",
                true,
            ),
            ("container.ip = 10.0.0.7 and container.host_network = false", true),
            ("container.host_pid exists or container.healthcheck exists", false),
            ("container.duration >= 5000000000 and container.duration < 6000000000", true),
            ("container.mount.dest[/proc*] = /host/proc and container.mount.source[/data] = /srv", true),
            ("container.mount.dest[1] = /data and container.mount.rdwr[/srv] = true", true),
            ("container.mount.dest[7] exists or container.mount.dest[/etc] exists", false),
            ("container.label.app = shop and container.label[io.x/y] = \"\"", true),
            ("container.label.none exists", false),
            ("k8s.ns.name = shop and k8s.pod.name startswith web and k8s.pod.uid = uid-1", true),
            ("k8s.pod.label.app = shop and k8s.pod.sandbox_id = bbbbbbbbbbbb", true),
        ],
    );
    let mounts = "/proc:/host/proc:rw:false:rprivate /srv:/data:rw:true:rprivate";
    assert_eq!(rendered("%container.mounts", &told), mounts);
    assert_eq!(rendered("%container.mount[0]", &told), "/proc:/host/proc:rw:false:rprivate");
    assert_eq!(rendered("%container.labels %k8s.pod.labels", &told), "app:shop,io.x/y: app:shop,io.x/y:");
}

#[test]
fn what_the_api_server_says_of_a_pod_comes_first() {
    let owner = |kind: &str, name: &str, uid: &str| {
        Some(Owner { kind: kind.into(), name: name.into(), uid: uid.into() })
    };
    let pod = Pod {
        name: "web-7d4b9-x".into(),
        namespace: "shop".into(),
        labels: vec![("app".into(), "new".into())],
        service_account: "web".into(),
        node: "n1".into(),
        controller: owner("ReplicaSet", "web-7d4b9", "u-1"),
        owner: owner("Deployment", "web", ""),
        ..Pod::default()
    };
    let mut told = with(Known::Yes(container().into()), Place::default(), Known::No);
    check(&told, &[("k8s.owner.kind exists or k8s.deployment.name exists or k8s.node.name exists", false)]);
    let workload =
        Workload { pod: Known::Yes(pod.into()), ..Workload::clone(told.workload.as_ref().unwrap()) };
    told.workload = Some(Arc::new(workload));
    check(
        &told,
        &[
            ("k8s.owner.kind = Deployment and k8s.owner.name = web and k8s.deployment.name = web", true),
            ("k8s.rs.name = web-7d4b9 and k8s.rs.id = u-1", true),
            ("k8s.rc.name exists or k8s.rc.id exists or k8s.deployment.id exists", false),
            ("k8s.pod.service_account = web and k8s.node.name = n1", true),
            ("k8s.pod.name = web-7d4b9-x and k8s.pod.label.app = new and k8s.ns.name = shop", true),
        ],
    );
}

#[test]
fn before_the_runtime_has_told_only_the_path_speaks() {
    let place = Place {
        runtime: Some(Runtime::CriO),
        pod_uid: Some("uid-2".into()),
        unit: Some("x.service".into()),
        slice: Some("y.slice".into()),
        invocation: Some("f".repeat(32).into()),
        ..Place::default()
    };
    check(
        &with(Known::Pending, place, Known::Pending),
        &[
            ("container.type = cri-o and k8s.pod.uid = uid-2 and k8s.pod.id = uid-2", true),
            ("container.name exists or container.image exists or k8s.pod.name exists", false),
            (
                "systemd.unit = x.service and systemd.slice = y.slice and systemd.invocation_id startswith ff",
                true,
            ),
            ("systemd.session exists or systemd.user_unit exists", false),
        ],
    );
}

#[test]
fn users_are_those_of_the_process() {
    let user =
        |uid, name: &str| User { uid, name: name.into(), home: "/home/ann".into(), shell: "/bin/sh".into() };
    let groups = vec![Group { gid: 1000, name: "wheel".into() }];
    let users = Users::new(vec![user(1000, "ann")], groups, Vec::new(), Vec::new());
    check(
        &with(Known::No, Place::default(), Known::Yes(users.into())),
        &[
            (
                "user.name = ann and user.homedir = /home/ann and user.shell = /bin/sh and group.name = wheel",
                true,
            ),
            // Nobody logged in.
            ("user.loginname = \"<NA>\" and user.loginuid = -1", true),
        ],
    );
}

#[test]
fn an_alert_says_whose_it_is_and_whether_something_is_missing() {
    let engine = Engine::new(load(&rule("evt.type exists", "o")), &Selection::default());
    let json = |told: &Observation| {
        let mut text = Vec::new();
        engine.evaluate(told, &mut Memory::default(), &mut |alert| alert.sentinel_json(&mut text));
        serde_json::from_slice::<serde_json::Value>(&text).unwrap()
    };
    let whole = json(&with(Known::Yes(container().into()), Place::default(), Known::No));
    assert_eq!(whole["container"]["name"], "web");
    assert_eq!(whole["container"]["runtime"], "containerd");
    assert_eq!(whole["container"]["image"], "registry.example/web:1");
    assert_eq!((&whole["pod"]["name"], &whole["pod"]["namespace"]), (&"web-1".into(), &"shop".into()));
    assert_eq!(whole.get("metadata"), None);
    let pending = json(&with(Known::Pending, Place::default(), Known::No));
    assert_eq!((&pending["metadata"], &pending["container"]["name"]), (&"pending".into(), &"".into()));
}
