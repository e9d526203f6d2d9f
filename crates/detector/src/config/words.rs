//! Values that are one of a few words.

use serde::{Deserialize, Serialize};

/// What judges events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineName {
    /// Detection rules, for events that no node's rules have judged.
    Rules,
    /// Logs what it sees and finds nothing.
    PassThrough,
    /// Learns what is normal, and finds what is not.
    Baseline,
    /// Asks another detector.
    External,
}
