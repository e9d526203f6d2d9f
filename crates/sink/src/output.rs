//! The ways out, a file each.

mod file;
pub(crate) mod http;
mod journald;
mod stdout;
pub(crate) mod syslog;

pub(crate) use self::{file::File, http::Http, journald::Journald, stdout::Stdout, syslog::Syslog};
