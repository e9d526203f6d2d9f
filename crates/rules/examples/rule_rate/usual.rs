//! More rules.

use std::fmt::Write as _;

/// Rules as people write them.
pub(crate) fn usual(count: u32) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for number in 0..count {
        let condition = match number % 3 {
            0 => format!(
                "evt.type in (open, openat, openat2) and evt.is_open_read = true and fd.name startswith \
                 /srv/secret{number}/ and not proc.name in (app{number}, backup)"
            ),
            1 => format!(
                "evt.type in (execve, execveat) and proc.name = tool{number} and proc.cmdline contains \
                 \" --flag{number}\""
            ),
            _ => format!(
                "evt.type = connect and fd.sport = {} and proc.name = client{number} and not fd.snet in \
                 (10.0.0.0/8)",
                number % 60_000
            ),
        };
        writeln!(
            text,
            "- rule: more {number}\n  desc: d\n  output: o\n  priority: INFO\n  condition: '{condition}'"
        )?;
    }
    Ok(text)
}
