//! Rules: which events leave the node ([`forward`]) and which are alerts ([`language`]).
//!
//! Text comes in, decisions come out. The crate reads nothing by itself: no files, no clock.

pub mod builtin;
pub mod forward;
pub mod language;
pub mod nearest;
