//! Where events come from.

/// The machine, as every event names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// NODE_NAME, else the host's name.
    pub hostname: String,
}
