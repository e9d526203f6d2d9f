//! Secrets, which the configuration need not hold.

use std::{env, fs, path::Path};

/// Where systemd shows a service its credentials (LoadCredential=).
const DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// What the environment variable `variable` holds; else what systemd's credential of that name does, which is
/// `http-token` for SENTINEL_HTTP_TOKEN, without the end of the line. None when there is neither.
pub fn secret(variable: &str) -> Option<String> {
    env::var(variable).ok().or_else(|| credential(Path::new(&env::var_os(DIRECTORY)?), variable))
}

fn credential(directory: &Path, variable: &str) -> Option<String> {
    let name = variable.strip_prefix("SENTINEL_")?.to_lowercase().replace('_', "-");
    let text = fs::read_to_string(directory.join(name)).ok()?;
    Some(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_credential_is_the_variable_s_name_in_small_letters() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("http-token"), "a secret\n").unwrap();
        let found = |variable| credential(directory.path(), variable);
        assert_eq!(found("SENTINEL_HTTP_TOKEN").as_deref(), Some("a secret"));
        assert_eq!(found("SENTINEL_NATS_PASSWORD"), None);
        assert_eq!(found("HTTP_TOKEN"), None);
    }

    #[test]
    fn without_a_credential_there_is_no_secret() {
        assert_eq!(secret("SENTINEL_A_NAME_THAT_NOBODY_SETS"), None);
    }
}
