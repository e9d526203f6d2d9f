//! Where this program runs.

use std::{fs, path::Path};

/// What kind of machine can be spared, found below `root`; none for a machine that may be somebody's own.
pub(crate) fn expendable(root: &Path) -> Option<&'static str> {
    container(root).or_else(|| virtual_machine(root))
}

fn container(root: &Path) -> Option<&'static str> {
    let marks = ["run/.containerenv", ".dockerenv", "run/systemd/container"];
    let marked = marks.iter().any(|mark| root.join(mark).exists());
    let first = text(root, "proc/1/environ").split('\0').any(|variable| variable.starts_with("container="));
    let cgroup = text(root, "proc/1/cgroup");
    let runtimes = ["docker", "kubepods", "libpod", "lxc", "machine.slice", "crio"];
    let grouped = runtimes.iter().any(|runtime| cgroup.contains(runtime));
    (marked || first || grouped).then_some("a container")
}

fn virtual_machine(root: &Path) -> Option<&'static str> {
    let cpuinfo = text(root, "proc/cpuinfo");
    let flagged = cpuinfo.lines().filter_map(|line| line.split_once(':')).any(|(key, flags)| {
        key.trim() == "flags" && flags.split_whitespace().any(|flag| flag == "hypervisor")
    });
    let firmware = ["sys_vendor", "product_name", "board_vendor"]
        .map(|key| text(root, &format!("sys/class/dmi/id/{key}")));
    let makers = [
        "QEMU",
        "KVM",
        "VMware",
        "VirtualBox",
        "innotek",
        "Xen",
        "Amazon EC2",
        "Google Compute",
        "Virtual Machine",
        "Bochs",
    ];
    let made = firmware.iter().any(|text| makers.iter().any(|maker| text.contains(maker)));
    // Arm has no such flag and often no DMI.
    let tree = root.join("proc/device-tree/hypervisor").exists() || root.join("sys/hypervisor/type").exists();
    let machine = text(root, "proc/device-tree/compatible").contains("dummy-virt");
    (flagged || made || tree || machine).then_some("a virtual machine")
}

/// The text of a small file; empty when there is none.
fn text(root: &Path, path: &str) -> String {
    String::from_utf8_lossy(&fs::read(root.join(path)).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A root with these files.
    fn at(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn machines_are_told_apart() {
        type Case = (&'static [(&'static str, &'static str)], Option<&'static str>);
        let cases: &[Case] = &[
            (&[], None),
            (&[("proc/cpuinfo", "flags\t: fpu vme sse2\nbugs\t: hypervisor\n")], None),
            (&[("proc/1/cgroup", "0::/init.scope\n"), ("proc/1/environ", "HOME=/\0TERM=linux\0")], None),
            (&[("sys/class/dmi/id/sys_vendor", "LENOVO\n")], None),
            (&[("proc/cpuinfo", "flags\t\t: fpu hypervisor lahf_lm\n")], Some("a virtual machine")),
            (&[("sys/class/dmi/id/sys_vendor", "QEMU\n")], Some("a virtual machine")),
            (&[("proc/device-tree/compatible", "linux,dummy-virt\0")], Some("a virtual machine")),
            (&[("run/.containerenv", "")], Some("a container")),
            (&[("proc/1/cgroup", "0::/kubepods/besteffort/pod1\n")], Some("a container")),
            (&[("proc/1/environ", "PATH=/\0container=podman\0")], Some("a container")),
        ];
        for (files, expected) in cases {
            assert_eq!(expendable(at(files).path()), *expected, "{files:?}");
        }
    }
}
