//! How long to wait for somebody who is away.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::Duration,
};

/// Doubles from wait to wait, with jitter, so that a thousand nodes do not come back at once.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    /// Waits from about `first` to `most`.
    pub fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, next: first }
    }

    /// The next wait: between half of what the doubling says and all of it.
    pub fn wait(&mut self) -> Duration {
        let whole = self.next.min(self.most);
        self.next = whole.saturating_mul(2).min(self.most);
        // Seeded anew by the operating system; this is no secret.
        let [dice, ..] = RandomState::new().build_hasher().finish().to_ne_bytes();
        whole / 2 + whole / 2 * u32::from(dice) / 255
    }

    /// It went well: the next wait is a short one.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(ms(100), ms(1000));
        for whole in [100, 200, 400, 800, 1000, 1000] {
            let wait = backoff.wait();
            assert!((ms(whole / 2)..=ms(whole)).contains(&wait), "{wait:?} of {whole} ms");
        }
        backoff.reset();
        assert!(backoff.wait() <= ms(100));
    }
}
