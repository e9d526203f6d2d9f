use super::*;

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn read(text: &str) -> Container {
    container(serde_json::from_str(text).unwrap(), Runtime::Docker)
}

#[test]
fn what_docker_says_is_understood() {
    let found = read(&format!(
        r#"{{"Id":"{ID}","Created":"2026-11-22T07:00:00.5Z","Name":"/web","Image":"sha256:aa","State":{{"Pid":7,
        "StartedAt":"2026-11-22T07:00:01.25Z"}},"HostConfig":{{"Privileged":true,"PidMode":"host","NetworkMode":"bridge","IpcMode":"private"}},
        "Mounts":[{{"Type":"bind","Source":"/srv","Destination":"/data","Mode":"ro","RW":false,"Propagation":"rprivate"}}],
        "Config":{{"Image":"registry.example/web:1","Labels":{{"b":"2","a":"1"}},"Healthcheck":{{"Test":["CMD","curl","-f","localhost"]}}}},
        "NetworkSettings":{{"IPAddress":"172.17.0.2"}}}}"#
    ));
    assert_eq!((&*found.id, &*found.name, found.runtime), (ID, "web", Some(Runtime::Docker)));
    assert_eq!(
        (&*found.image.repository, &*found.image.tag, &*found.image.id),
        ("registry.example/web", "1", "aa")
    );
    assert_eq!(found.privileged, Some(true));
    assert_eq!([found.host_pid, found.host_network, found.host_ipc], [Some(true), Some(false), Some(false)]);
    assert_eq!(found.mounts[0].source, "/srv");
    assert!(!found.mounts[0].writable);
    assert_eq!(found.labels, [("a".into(), "1".into()), ("b".into(), "2".into())]);
    assert_eq!(found.started_ns, Some(1_795_330_801_250_000_000));
    assert_eq!((&*found.ip, &*found.healthcheck), ("172.17.0.2", "curl -f localhost"));
    assert_eq!(found.pod, None);
}

#[test]
fn what_is_missing_or_null_is_unknown() {
    let found = read(
        r#"{"Id":"x","Created":"2026-11-22T07:00:00Z","State":{"StartedAt":"0001-01-01T00:00:00Z"},"Mounts":null,
        "Config":{"Labels":null,"Healthcheck":{"Test":null}}}"#,
    );
    assert_eq!((found.privileged, found.host_pid, found.mounts.len()), (None, None, 0));
    assert_eq!(found.started_ns, Some(1_795_330_800_000_000_000), "made, not started yet");
    assert!(serde_json::from_str::<Described>(r#"{"Id":7}"#).is_err());
}

#[test]
fn a_container_of_the_kubelet_names_its_pod() {
    let found = read(
        r#"{"Config":{"Labels":{"io.kubernetes.pod.name":"web-1","io.kubernetes.pod.namespace":"shop","io.kubernetes.pod.uid":"u"}}}"#,
    );
    let pod = found.pod.unwrap();
    assert_eq!((&*pod.name, &*pod.namespace, &*pod.uid), ("web-1", "shop", "u"));
}
