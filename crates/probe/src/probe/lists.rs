//! What the kernel's iterators list: processes, and the files they have open.

use std::io::{self, Read as _};

use libbpf_rs::{Iter, MapCore as _, MapFlags, skel::Skel as _};
use sentinel_event::Process;
use zerocopy::IntoBytes as _;

use super::Probe;
use crate::{OpenFd, ProbeError, abi, decode::process, load};

impl Probe {
    /// Every process alive, from the BPF task iterator; without arguments, which only /proc has.
    ///
    /// # Errors
    /// When the iterator is refused: the caller falls back to /proc.
    pub fn processes(&self) -> Result<Vec<Process>, ProbeError> {
        Ok(process::snapshot(&self.iterate(load::snapshot_tasks(&self.facts))?).0)
    }

    /// Every open file of every process, from the BPF task_file iterator.
    ///
    /// # Errors
    /// When the iterator is refused.
    pub fn open_fds(&self) -> Result<Vec<OpenFd>, ProbeError> {
        Ok(process::files(&self.iterate("snapshot_files")?).0)
    }

    /// Our pid as the kernel counts it, and the files behind our own descriptors: an overlay shows other
    /// numbers to stat(2) than the kernel's inode has, and a container other pids.
    pub(super) fn own(&mut self, fds: &[i32]) -> Result<(), ProbeError> {
        let (files, reader) = process::files(&self.iterate("snapshot_files")?);
        self.config.self_tgid = reader;
        let own = files
            .iter()
            .filter(|file| file.tgid == reader && fds.iter().any(|fd| *fd == file.fd.cast_signed()));
        for file in own {
            let id = abi::sentinel_file_id { ino: file.ino, dev: file.dev, pad: 0 };
            self.skel
                .maps
                .own_files
                .update(id.as_bytes(), 1u32.as_bytes(), MapFlags::ANY)
                .map_err(ProbeError::refused("the map own_files"))?;
        }
        Ok(())
    }

    fn iterate(&self, iterator: &'static str) -> Result<Vec<u8>, ProbeError> {
        let mut bytes = Vec::new();
        let program = self.skel.object().progs_mut().find(|program| program.name() == iterator);
        let link = program
            .map_or_else(
                || Err(libbpf_rs::Error::from(io::Error::from(io::ErrorKind::NotFound))),
                |program| program.attach(),
            )
            .map_err(ProbeError::refused(iterator))?;
        Iter::new(&link)
            .map_err(ProbeError::refused(iterator))?
            .read_to_end(&mut bytes)
            .map_err(|source| ProbeError::Iterator { iterator, source })?;
        Ok(bytes)
    }
}
