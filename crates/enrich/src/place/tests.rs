use bstr::ByteSlice as _;
use proptest::prelude::*;
use sentinel_event::Runtime;

use super::*;

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const OUTER: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
const POD: &str = "1f0c2d3e-4a5b-6c7d-8e9f-0a1b2c3d4e5f";
const POD_: &str = "1f0c2d3e_4a5b_6c7d_8e9f_0a1b2c3d4e5f";

fn fill(path: &str) -> String {
    path.replace("POD_", POD_).replace("POD", POD).replace("OUTER", OUTER).replace("ID", ID)
}

fn of(path: &str) -> Place {
    place_of(fill(path).as_str().into())
}

#[test]
fn every_runtime_is_recognised_with_every_driver() {
    use Runtime::{Containerd, CriO, Docker, Podman};
    let inside = [
        ("/docker/ID", Some(Docker)),
        ("/docker/ID/init", Some(Docker)),
        ("/system.slice/docker-ID.scope", Some(Docker)),
        ("/system.slice/docker-ID.scope/init.scope", Some(Docker)),
        ("/user.slice/user-1000.slice/user@1000.service/user.slice/docker-ID.scope", Some(Docker)),
        ("/kubepods/burstable/podPOD/ID", None),
        ("/kubepods/podPOD/crio-ID", Some(CriO)),
        ("/kubepods.slice/kubepods-podPOD_.slice/cri-containerd-ID.scope", Some(Containerd)),
        ("/kubepods.slice/kubepods-podPOD_.slice/docker-ID.scope", Some(Docker)),
        ("/kubepods.slice/kubepods-podPOD_.slice/crio-ID.scope", Some(CriO)),
        ("/kubepods.slice/kubepods-podPOD_.slice/crio-ID.scope/container", Some(CriO)),
        (
            "/system.slice/containerd.service/kubepods-besteffort-podPOD_.slice:cri-containerd:ID",
            Some(Containerd),
        ),
        ("/machine.slice/libpod-ID.scope/container", Some(Podman)),
        ("/machine.slice/libpod-ID.scope", Some(Podman)),
        ("/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope", Some(Podman)),
        ("/libpod_parent/libpod-ID", Some(Podman)),
        ("/libpod_parent/ID", Some(Podman)),
        ("/default/ID", Some(Containerd)),
        ("/k8s.io/ID", Some(Containerd)),
        ("/system.slice/nerdctl-ID.scope", Some(Containerd)),
        ("/../../docker/ID", Some(Docker)),
        ("/docker/OUTER/docker/ID", Some(Docker)),
        ("/docker/OUTER/kubelet.slice/kubelet-kubepods.slice/cri-containerd-ID.scope", Some(Containerd)),
        ("/actions_job/ID", None),
    ];
    for (path, runtime) in inside {
        let place = of(path);
        assert_eq!(place.container.as_deref(), Some(ID), "{path}");
        assert_eq!(place.runtime, runtime, "{path}");
    }
}

#[test]
fn containers_without_an_id_have_their_name() {
    use Runtime::{Lxc, Nspawn};
    let inside = [
        ("/lxc.payload.web", "web", Lxc),
        ("/lxc.payload.web/init.scope", "web", Lxc),
        ("/lxc.payload/web/system.slice/ssh.service", "web", Lxc),
        ("/lxc/web/user.slice", "web", Lxc),
        ("/machine.slice/machine-lxc\\x2d7\\x2dweb.scope", "web", Lxc),
        ("/machine.slice/machine-web.scope/payload/system.slice/x.service", "web", Nspawn),
        ("/machine.slice/machine-my\\x2dweb.scope/payload", "my-web", Nspawn),
        ("/machine.slice/systemd-nspawn@web.service/payload/init.scope", "web", Nspawn),
        ("/machine.slice/systemd-nspawn@my\\x2dweb.service/payload", "my-web", Nspawn),
    ];
    for (path, name, runtime) in inside {
        let place = of(path);
        assert_eq!((place.container.as_deref(), place.runtime), (Some(name), Some(runtime)), "{path}");
    }
}

#[test]
fn the_host_and_the_monitors_of_containers_are_in_none() {
    let (short, upper) = (&ID[1..], ID.to_uppercase());
    let outside = [
        "/",
        "",
        "/system.slice/sshd.service",
        "/user.slice/user-1000.slice/session-1.scope",
        "/system.slice/crio-conmon-ID.scope",
        "/machine.slice/libpod-conmon-ID.scope",
        "/docker/0ID",
        "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator",
        "/machine.slice/machine-web.scope/supervisor",
        "/machine.slice/systemd-nspawn@web.service/supervisor",
        "/machine.slice/machine-.scope/payload",
        "/lxc.monitor.web",
        "/lxc",
        "/system.slice/lxc/web",
        "/kubepods/burstable/podPOD",
    ];
    for path in outside {
        assert_eq!(of(path).container, None, "{path}");
    }
    assert_eq!(of(&format!("/docker/{short}")).container, None);
    assert_eq!(of(&format!("/docker/{upper}")).container, None);
    assert_eq!(place_of(b"/\xff\xfe/docker".as_bstr()).container, None);
}

#[test]
fn pods_are_named_by_every_class_and_driver() {
    let pods = [
        "/kubepods/podPOD/ID",
        "/kubepods/burstable/podPOD/ID",
        "/kubepods/besteffort/podPOD/ID",
        "/kubepods/besteffort/podPOD",
        "/kubepods.slice/kubepods-podPOD_.slice/cri-containerd-ID.scope",
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podPOD_.slice/crio-ID.scope",
        "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podPOD_.slice/docker-ID.scope",
        "/system.slice/containerd.service/kubepods-burstable-podPOD_.slice:cri-containerd:ID",
        "/docker/OUTER/kubelet/kubepods/burstable/podPOD/ID",
        "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-podPOD_.slice/cri-containerd-ID.scope",
    ];
    for path in pods {
        assert_eq!(of(path).pod_uid.as_deref(), Some(POD), "{path}");
    }
    let mirror = "0123456789abcdef0123456789abcdef";
    let path = format!(
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{mirror}.slice/cri-containerd-{ID}.scope"
    );
    assert_eq!(of(&path).pod_uid.as_deref(), Some(mirror), "static pods have no dashes");
    for path in
        ["/docker/ID", "/kubepods/pods/ID", "/system.slice/podman.service", "/podium.slice/pod1.slice"]
    {
        assert_eq!(of(path).pod_uid, None, "{path}");
    }
}

/// Path; unit, slice, unit of the user's systemd, session.
type Units<'a> = (&'a str, [Option<&'a str>; 4]);

#[test]
fn units_are_those_of_the_innermost_systemd() {
    let cases: &[Units<'_>] = &[
        ("/", [None; 4]),
        ("/system.slice", [None; 4]),
        ("/init.scope", [Some("init.scope"), Some("-.slice"), None, None]),
        ("/system.slice/sshd.service", [Some("sshd.service"), Some("system.slice"), None, None]),
        (
            "/system.slice/system-getty.slice/getty@tty1.service",
            [Some("getty@tty1.service"), Some("system-getty.slice"), None, None],
        ),
        ("/system.slice/_cpu.service/sub", [Some("cpu.service"), Some("system.slice"), None, None]),
        (
            "/user.slice/user-1000.slice/session-c3.scope",
            [Some("session-c3.scope"), Some("user-1000.slice"), None, Some("c3")],
        ),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/app-foot.scope",
            [Some("user@1000.service"), Some("user-1000.slice"), Some("app-foot.scope"), None],
        ),
        (
            "/system.slice/docker-ID.scope/system.slice/nginx.service",
            [Some("nginx.service"), Some("system.slice"), None, None],
        ),
        ("/system.slice/docker-ID.scope", [Some(&fill("docker-ID.scope")), Some("system.slice"), None, None]),
        (
            "/machine.slice/machine-web.scope/payload/init.scope",
            [Some("init.scope"), Some("-.slice"), None, None],
        ),
        ("/docker/ID", [None; 4]),
        ("/.service/x", [None; 4]),
    ];
    for (path, expected) in cases {
        let place = of(path);
        let found = [&place.unit, &place.slice, &place.user_unit, &place.session];
        assert_eq!(found.map(|text| text.as_deref()), *expected, "{path}");
    }
}

proptest! {
    #[test]
    fn no_path_is_too_strange(path in prop::collection::vec(any::<u8>(), 0..200)) {
        let place = place_of(path.as_bstr());
        prop_assert_eq!(place.path, path);
    }

    #[test]
    fn no_text_is_too_strange(path in "(/|pod|machine-|\\.scope|\\.slice|lxc|\\\\x|[0-9a-f]{0,3}|-|:|é){0,30}") {
        let _ = place_of(path.as_str().into());
    }
}
