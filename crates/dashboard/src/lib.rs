//! `sentinel-dashboard` as a library: the web app, and what several detectors know as if it were one.
//!
//! Comes in: a [`Config`] with the addresses of detectors. Goes out: one HTTP port with the app, a merged
//! alert stream (`/events`) and merged answers (`/api/…`) in the form of a single detector. It keeps no
//! alerts; every answer is asked for when it is wanted.
//!
//! It must never change anything anywhere: detectors are only asked (GET), and so is it.

mod access;
mod answer;
mod app;
mod config;
mod detector;
mod error;
mod export;
mod fleet;
mod fold;
mod history;
mod instant;
mod live;
mod merge;
mod outgoing;
mod position;
mod program;
mod query;
mod route;
mod server;
mod sse;
mod stats;

pub use app::is_built as app_is_built;
pub use config::{
    Access, AccessMode, Config, ConfigError, DEFAULT_PATH, Detector, Http, LogLevel,
    reference as config_reference,
};
pub use error::DashboardError;
pub use program::main;
pub use server::Server;
