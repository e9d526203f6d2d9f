//! Adds to an event what the host knows about its process: program, ancestors, container.
//!
//! [`sentinel_event::Event`] comes in, [`sentinel_event::Observation`] goes out. Nothing is dropped: what
//! is not known is absent. [`Enricher::observe`] does no I/O; what must be read from the host is read by
//! [`Enricher::prepare`] between batches, through the [`Source`] trait, at a bounded rate. Every table has
//! a bound, an eviction rule and a counter.

mod budget;
mod chain;
mod container;
mod enricher;
mod entry;
mod source;
mod table;

pub use container::container_of;
pub use enricher::{Counters, Enricher, Options};
pub use source::{Cgroup, ProcSource, Source, TICK_NS};
pub use table::ANCESTORS;
