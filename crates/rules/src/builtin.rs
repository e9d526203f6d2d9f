//! The shipped rules, compiled in: the files of `rules/`.

/// Name and text of each file, in the order in which they are loaded.
pub const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// Names below `place` and texts of the files, in that order.
pub fn texts(place: &str) -> impl Iterator<Item = (String, String)> {
    FILES.iter().map(move |(name, text)| (format!("{place}/{name}"), (*text).to_owned()))
}
