//! Adds to an event what the host knows about its process: program, ancestors, container.
//!
//! [`sentinel_event::Event`] comes in, [`sentinel_event::Observation`] goes out. Nothing is dropped: what
//! is not known is absent. [`Enricher::observe`] does no I/O; what must be read from the host is read by
//! [`Enricher::prepare`] between batches, through the [`Source`] trait, at a bounded rate. Every table has
//! a bound, an eviction rule and a counter. What takes longer (runtimes, user databases) is asked through the
//! [`Directory`] trait, whose answers come later.

mod budget;
mod chain;
mod deaths;
mod directory;
mod enricher;
mod entry;
mod names;
mod place;
mod places;
mod source;
mod table;
mod workloads;

pub use directory::{Answer, Directory};
pub use enricher::{Counters, Enricher, Options};
pub use place::{container_of, place_of};
pub use source::{Births, Cgroup, ProcSource, Source, TICK_NS};
pub use table::ANCESTORS;
