//! The nearest known name for one that is not known.

/// The candidate that is most like `name`, if one is. Names in a rule file are as many and as long as its
/// author likes, so only candidates of about the same length are looked at.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 64; // bytes; longer names are no typing errors
    const DIFFERENCE: usize = 4; // bytes
    let close = candidates.into_iter().filter(|candidate| candidate.len().abs_diff(name.len()) <= DIFFERENCE);
    if name.len() > LONGEST { None } else { crate::nearest::nearest(name, close) }
}

/// The end of a message that names what was perhaps meant.
pub(super) fn hint(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean '{name}'?")).unwrap_or_default()
}
