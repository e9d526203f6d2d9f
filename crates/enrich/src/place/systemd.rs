//! Units, slices and sessions in the path of a cgroup.

/// The unit that a path is in.
pub(super) struct Unit<'a> {
    pub(super) name: &'a str,
    /// The innermost slice around it: `-.slice` is the root.
    pub(super) slice: &'a str,
    pub(super) user_unit: Option<&'a str>,
    pub(super) session: Option<&'a str>,
}

/// Kinds of units that have a cgroup with processes.
const KINDS: [&str; 5] = [".service", ".scope", ".socket", ".mount", ".swap"];
const ROOT: &str = "-.slice";

/// The first unit of a path; slices around it, the unit of the user's own systemd inside.
pub(super) fn unit<'a>(parts: &[&'a str]) -> Option<Unit<'a>> {
    let at = parts.iter().position(|part| is_unit(part))?;
    let name = unescaped(parts.get(at)?);
    let before = parts.get(..at).unwrap_or_default();
    let slice =
        before.iter().rev().find(|part| part.ends_with(".slice")).map_or(ROOT, |part| unescaped(part));
    let inside = parts.get(at + 1..).unwrap_or_default();
    let users = if name.starts_with("user@") { inside } else { &[] };
    Some(Unit {
        name,
        slice,
        user_unit: users.iter().find(|part| is_unit(part)).map(|part| unescaped(part)),
        session: name.strip_prefix("session-").and_then(|rest| rest.strip_suffix(".scope")),
    })
}

fn is_unit(part: &str) -> bool {
    // What Docker's cgroupfs driver names by its parent is none: `kubepods.slice:cri-containerd:ID`.
    !part.contains(':')
        && KINDS.iter().any(|kind| part.strip_suffix(kind).is_some_and(|name| !name.is_empty()))
}

/// systemd puts `_` before names that the kernel uses in cgroups.
fn unescaped(part: &str) -> &str {
    part.strip_prefix('_').unwrap_or(part)
}
