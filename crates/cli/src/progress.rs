//! How far a long run is, on a terminal.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// How often the line is written anew.
const PERIOD: Duration = Duration::from_millis(200);
/// The clock is looked at once in so many events.
const EVERY: u64 = 64;

/// One line on standard error, while it is a terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    begun: Instant,
    told: Instant,
    /// Bytes in all, if that is known.
    size: Option<u64>,
    events: u64,
}

impl Progress {
    /// None when nobody looks.
    pub(crate) fn new(size: Option<u64>) -> Option<Self> {
        let now = Instant::now();
        io::stderr().is_terminal().then(|| Self { begun: now, told: now, size, events: 0 })
    }

    /// One more event; so many bytes of the file are read.
    pub(crate) fn event(&mut self, bytes: u64) {
        self.events += 1;
        if self.events.is_multiple_of(EVERY) {
            self.tick(bytes);
        }
    }

    /// Time passes.
    pub(crate) fn tick(&mut self, bytes: u64) {
        if self.told.elapsed() >= PERIOD {
            self.told = Instant::now();
            // Nothing depends on it.
            let _ =
                write!(io::stderr(), "\r\x1b[K{}", line(self.events, bytes, self.size, self.begun.elapsed()));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
}

fn line(events: u64, bytes: u64, size: Option<u64>, time: Duration) -> String {
    let seconds = time.as_secs_f64().max(1e-3);
    let mega = |bytes: u64| format!("{}.{}", bytes / 1_000_000, bytes % 1_000_000 / 100_000);
    let rate = |count: u64| format!("{:.0}", count as f64 / seconds);
    let mut text = format!("{events} events, {}/s, {} MB", rate(events), mega(bytes));
    if let Some(size) = size.filter(|size| *size > 0) {
        let part = bytes.min(size) as f64 / size as f64;
        let left = if part > 0.0 { format!("{:.0} s", seconds / part - seconds) } else { "?".into() };
        text.push_str(&format!(" of {}, {:.0} %, {left} left", mega(size), part * 100.0));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_how_far_it_is() {
        let half = line(1000, 5_250_000, Some(10_500_000), Duration::from_secs(2));
        assert_eq!(half, "1000 events, 500/s, 5.2 MB of 10.5, 50 %, 2 s left");
        assert_eq!(line(0, 0, Some(1), Duration::ZERO), "0 events, 0/s, 0.0 MB of 0.0, 0 %, ? left");
        assert_eq!(line(64, 100_000, None, Duration::from_secs(1)), "64 events, 64/s, 0.1 MB");
    }
}
