//! Checks that every configuration needs.

use std::net::IpAddr;

/// What is wrong with a configuration: the key, and what was expected and found.
pub type Problem = (String, String);

/// Whether a number is in its range.
///
/// # Errors
/// When it is not.
pub fn within(key: &str, value: u64, least: u64, most: u64) -> Result<(), Problem> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err((key.into(), format!("expected {least} to {most}, found {value}")))
}

/// An address to listen at.
///
/// # Errors
/// When the text is none.
pub fn address(key: &str, text: &str) -> Result<IpAddr, Problem> {
    text.parse().map_err(|_| {
        let expected = "expected an IP address (127.0.0.1 for this host only, 0.0.0.0 or :: for all)";
        (key.into(), format!("{expected}, found {text:?}"))
    })
}
