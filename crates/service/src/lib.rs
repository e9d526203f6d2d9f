//! What the services (`sentinel-agent`, `sentinel-detector`, `sentinel-dashboard`) have in common: a configuration
//! in YAML whose keys document themselves, a log, a line to the service manager, and the way they start and end.
//!
//! Comes in: a file, the environment, the command line. Goes out: a checked value, or an error that names file, key,
//! value and remedy. It must never know what a service does.

mod check;
mod config;
mod files;
mod listen;
mod log;
mod notify;
mod place;
mod program;
mod reference;
mod secret;

pub use check::{Problem, address, within};
pub use config::{SettingsError, load, parse};
pub use files::{text, texts};
pub use listen::{ListenError, addresses, listen};
pub use log::{LogLevel, init as init_logging};
pub use notify::{NotifyState, tell, watchdog};
pub use place::is_remote;
pub use program::{Ended, Failed, main};
pub use reference::{Reference, Row};
pub use secret::secret;
#[doc(hidden)]
pub use serde; // for `sections!`
