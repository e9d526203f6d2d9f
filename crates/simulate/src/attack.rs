//! What an attack is.

use std::fmt;

use crate::stage::Stage;

/// A safe attack and its benign twin.
pub struct Attack {
    /// What it is called on the command line.
    pub name: &'static str,
    /// Name of the rule that it must trip.
    pub rule: &'static str,
    /// What it does.
    pub about: &'static str,
    /// What its benign twin does, which must trip no rule.
    pub twin: &'static str,
    pub(crate) attack: fn(&Stage) -> anyhow::Result<()>,
    pub(crate) benign: fn(&Stage) -> anyhow::Result<()>,
}

impl fmt::Debug for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attack").field("name", &self.name).field("rule", &self.rule).finish_non_exhaustive()
    }
}

/// Something that an attack needs is not here: it is skipped, not failed.
#[derive(Debug)]
pub(crate) struct Missing(pub(crate) String);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Missing {}

/// Shipped rules that no attack trips, each with the reason.
pub const UNSIMULATED: &[(&str, &str)] = &[
    ("Mount inside of a container", "needs a container of a runtime; the VM tests start one"),
    ("Process enters namespaces", "needs a container of a runtime; the VM tests start one"),
    (
        "Container runtime's socket used in a container",
        "needs a container of a runtime; the VM tests start one",
    ),
    ("Program that is not of the image", "needs a container of a runtime; the VM tests start one"),
    (
        "Kernel module loaded by hand",
        "needs a module that loads, and changes the kernel until it is unloaded",
    ),
    (
        "Educational connection of an interpreter",
        "off; what trips it is in the simulations of reverse shells",
    ),
    ("Educational tracing", "off; what trips it is in injection-ptrace"),
    ("Educational file in memory", "off; what trips it is in injection-memory-file"),
    ("Educational executable mapping", "off; every start of a program trips it"),
    ("Educational odd program", "off; what trips it is in the simulations of suspicious programs"),
];
