//! Rules meet events: an [`Engine`] says which rules match an observation, an [`Alert`] what to tell of it.
//!
//! Rules are kept by the name of the event (`evt.type`). Their conditions become one graph in which equal parts
//! are one, so a macro that fifty rules use is computed once an event. Comparisons of one field that stand in one
//! `or` become one set. What the event's name decides is decided when the rules are compiled. Rules that name a
//! program, a port or the beginning of a path are looked at only on events that have it.
//!
//! A comparison with a missing field is false, whatever the operator; `not` is the plain negation.
//!
//! # What has a value
//!
//! [`filled`] tells which fields have values. The others, [`MISSING`], are accepted in rules and are always
//! missing: the present kinds of events do not carry them. Some have values on some events only:
//!
//! * `proc.cwd` and `proc.env`: on the start of a program;
//! * `fd.nameraw` and `fs.path.nameraw` of an open: where the probe recorded what was asked for, that is on
//!   failure, when no file was found, and when threads share the descriptors;
//! * `fd.num` of a close and of a mapping: never;
//! * `user.name`, `user.loginname`: `root` for 0, else what the user database of the process's root directory says,
//!   `<NA>` where that knows nobody; `group.name` likewise, but that the database may name group 0, too;
//! * `container.name` and `container.type`: `host` outside of containers, missing inside.
//!
//! `proc.name` is the name of the process's main thread. `proc.ppid` is the parent as the kernel has it at the
//! time of the event; names and paths of ancestors are those of the process that created it while it is known.
//! `fd.name` of a Unix socket is the path alone. Client and server, local and remote are told apart by the call:
//! who connects is the client, and the process's own end is the local one.

mod actor;
mod alert;
mod buffers;
mod compile;
mod engine;
mod fields;
mod glob;
mod guard;
mod interest;
mod json;
mod machine;
pub(super) mod names;
mod pred;
mod read;
mod select;
mod state;
mod time;
mod transform;
pub(super) mod unknown;
mod value;
mod view;
mod weigh;

pub use alert::Alert;
pub use engine::{Engine, Memory, Node};
pub use fields::{MISSING, filled, why_missing};
pub use interest::{Widening, calls, file_interest, widenings};
pub use read::{Reading, Scalar, call_name, read};
pub(super) use select::named;
pub use select::{Choice, Chosen, Matching, Selection};
pub use state::Remembered;
pub use view::Witness;
