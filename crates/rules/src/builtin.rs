//! The shipped rules, compiled in: the files of `rules/`.

/// Name and text of each file, in the order in which they are loaded.
pub const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/builtin.rs"));
