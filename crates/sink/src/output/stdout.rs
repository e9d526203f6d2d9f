//! Standard output: an alert a line.

use std::io::{self, ErrorKind, Write as _};

use sentinel_event::Alert;

use crate::{
    Format, StdoutOutput,
    worker::{Output, Verdict},
};

#[derive(Debug)]
pub(crate) struct Stdout {
    format: Format,
}

impl Stdout {
    pub(crate) fn new(config: &StdoutOutput) -> Self {
        Self { format: config.format }
    }
}

impl Output for Stdout {
    fn render(&self, alert: &Alert) -> Vec<u8> {
        line(self.format.of(alert))
    }

    fn deliver(&mut self, rendered: &[Vec<u8>]) -> Verdict {
        // Locked for the whole line: others write there, too.
        let mut stdout = io::stdout().lock();
        for line in rendered {
            match stdout.write_all(line).and_then(|()| stdout.flush()) {
                Ok(()) => {}
                Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                    return Verdict::Closed;
                }
                // A part of the line may be out: again would be no better.
                Err(error) => return Verdict::Refused(error.to_string()),
            }
        }
        Verdict::Delivered
    }
}

/// With its end.
pub(super) fn line(text: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(text.len() + 1);
    line.extend_from_slice(text);
    line.push(b'\n');
    line
}
