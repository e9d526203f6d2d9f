//! Asks container runtimes and user databases who somebody is, beside the pipeline: questions go in, answers come out
//! later, nobody waits.
//!
//! * [`Runtimes`]: containers, by the runtimes' own sockets ([`Socket`]): the API of Docker and podman, and the
//!   container runtime interface of Kubernetes. Only calls that read are made.
//! * [`Pods`]: the pods of our node, by watching Kubernetes' API server.
//! * [`UserBooks`]: users and groups by `passwd` and `group` of a process's own root directory.
//!
//! What answers may lie, hang, be absent, or say ten megabytes: times, sizes and numbers are bounded, each failure is
//! counted by cause ([`Counters`]), and a runtime that fails is left alone for a while.

mod cri;
mod engine;
mod image;
mod meter;
mod pods;
mod runtimes;
mod socket;
mod users;

pub use meter::Counters;
pub use pods::{PodOptions, Pods, ToldPod};
pub use runtimes::{Options, Runtimes, Told};
pub use socket::{Protocol, Socket, default_sockets};
pub use users::{Found, UserBooks};
