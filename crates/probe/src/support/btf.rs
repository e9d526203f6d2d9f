//! What the kernel tells of its own types and functions.

use std::{fs, io};

use bstr::ByteSlice as _;

pub(super) fn vmlinux_btf() -> (bool, String) {
    match fs::metadata(BTF) {
        Ok(meta) => (true, format!("{BTF}, {} KiB", meta.len() / 1024)),
        Err(error) => (false, format!("{BTF}: {error}")),
    }
}

/// The kernel's own BTF.
const BTF: &str = "/sys/kernel/btf/vmlinux";

/// Whether the kernel's BTF has this name. It is searched, not parsed, which would take ten times as long.
pub(super) fn kfunc(name: &str) -> (bool, String) {
    let wanted = [b"\0", name.as_bytes(), b"\0"].concat();
    match fs::File::open(BTF).and_then(|file| contains(file, &wanted)) {
        Ok(found) => (found, String::new()),
        Err(error) => (false, format!("{BTF}: {error}")),
    }
}

fn contains(mut file: impl io::Read, wanted: &[u8]) -> io::Result<bool> {
    let mut bytes = vec![0; 64 << 10];
    let mut kept = 0;
    loop {
        let room = bytes.get_mut(kept..).unwrap_or_default();
        let len = kept + file.read(room)?;
        let seen = bytes.get(..len).unwrap_or_default();
        if seen.find(wanted).is_some() {
            return Ok(true);
        }
        if len == kept {
            return Ok(false);
        }
        // A name may lie over the border.
        let from = len.saturating_sub(wanted.len());
        bytes.copy_within(from..len, 0);
        kept = len - from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_over_the_border_of_two_reads() {
        let name = b"\0bpf_rdonly_cast\0";
        for before in [0, 1, (64 << 10) - 3, 64 << 10, 200_000] {
            let mut btf = vec![b'x'; before];
            btf.extend_from_slice(name);
            btf.extend_from_slice(&[b'y'; 100]);
            assert!(contains(&*btf, name).unwrap(), "{before}");
            btf[before] = b'_';
            assert!(!contains(&*btf, name).unwrap(), "{before}");
        }
    }
}
