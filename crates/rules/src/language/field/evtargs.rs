//! Which names `evt.arg` takes.

use std::{collections::HashSet, sync::LazyLock};

use crate::language::evtnames::EVENTS;

static PARAMETERS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| EVENTS.iter().flat_map(|event| event.parameters.split_ascii_whitespace()).collect());

/// Whether some event has a parameter of this name.
pub(in crate::language) fn is_parameter(name: &str) -> bool {
    PARAMETERS.contains(name)
}
