//! A process that uses one core: the agent has to share the machine with it.

use std::{
    hint::spin_loop,
    process::{Child, Command, Stdio},
};

use anyhow::Result;

use crate::worker::pin;

/// A running hog; dropping it ends it.
pub(crate) struct Hog(Child);

impl Hog {
    /// Starts one on `core`.
    pub(crate) fn start(core: usize) -> Result<Self> {
        let child = Command::new(std::env::current_exe()?)
            .args(["hog", "--core", &core.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        Ok(Self(child))
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        // It may have gone already; then there is nothing to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Spins on `core` for ever.
pub(crate) fn run(core: usize) -> Result<()> {
    pin(core)?;
    let parent = nix::unistd::getppid();
    loop {
        for _ in 0..1_000_000 {
            spin_loop();
        }
        // The harness was killed and could not end us.
        if nix::unistd::getppid() != parent {
            return Ok(());
        }
    }
}
