//! A count-min sketch with decay: how often something came, in fixed memory, never too low.

/// Counters of a row; a power of two.
pub(super) const WIDTH: usize = 1 << 17;
/// Rows. With as many keys as counters of a row, one count in 30 is too high by one or more.
pub(super) const DEPTH: usize = 4;
/// Time in which a count halves: nanoseconds, a week.
const HALF_LIFE: f64 = 7.0 * 86_400e9;
/// Beyond it all counters are brought down, so that they stay precise.
const SCALE_MAX: f64 = 1e60;

/// The counts. Instead of all growing smaller, what comes grows: a count is what is stored over `scale`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sketch {
    pub(super) cells: Vec<f64>,
    pub(super) scale: f64,
    /// Latest time, nanoseconds since the Unix epoch.
    pub(super) now: u64,
}

impl Sketch {
    pub(super) fn new() -> Self {
        Self { cells: vec![0.0; WIDTH * DEPTH], scale: 1.0, now: 0 }
    }

    /// Lets time pass. Events come a little out of order; back it never goes. One that claims to be of another
    /// year does not wipe the past: a step is a day at most.
    pub(super) fn pass_to(&mut self, ns: u64) {
        if self.now == 0 {
            self.now = ns;
            return;
        }
        const DAY: u64 = 86_400_000_000_000;
        let step = ns.saturating_sub(self.now).min(DAY);
        self.now += step;
        self.scale *= (step as f64 / HALF_LIFE).exp2();
        if self.scale > SCALE_MAX {
            self.cells.iter_mut().for_each(|cell| *cell /= self.scale);
            self.scale = 1.0;
        }
    }

    /// One more.
    pub(super) fn add(&mut self, key: u64) {
        // Only the least of its cells need grow: others would count what did not come (conservative update).
        let least = self.least(key) + self.scale;
        for row in 0..DEPTH {
            if let Some(cell) = self.cells.get_mut(place(key, row)) {
                *cell = cell.max(least);
            }
        }
    }

    /// How many came, the old ones for less.
    pub(super) fn get(&self, key: u64) -> f64 {
        self.least(key) / self.scale
    }

    fn least(&self, key: u64) -> f64 {
        let cells = (0..DEPTH).filter_map(|row| self.cells.get(place(key, row)).copied());
        cells.fold(f64::INFINITY, f64::min)
    }
}

/// The cell of a key in a row: another mix of its bits for each.
fn place(key: u64, row: usize) -> usize {
    let salt = (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut mix = key ^ salt;
    mix = (mix ^ (mix >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mix = (mix ^ (mix >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mix ^= mix >> 31;
    row * WIDTH + usize::try_from(mix % WIDTH as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_never_too_low_and_seldom_too_high() {
        let mut sketch = Sketch::new();
        for key in 0..50_000u64 {
            (0..=key % 3).for_each(|_| sketch.add(key.wrapping_mul(0x1234_5678_9abc_def1)));
        }
        let mut high = 0;
        for key in 0..50_000u64 {
            let count = sketch.get(key.wrapping_mul(0x1234_5678_9abc_def1));
            let true_count = (key % 3 + 1) as f64;
            assert!(count >= true_count, "{key}: {count}");
            high += u32::from(count > true_count);
        }
        assert!(high < 500, "{high} of 50000 are too high");
    }

    #[test]
    fn a_count_halves_in_a_week_and_time_does_not_jump() {
        let mut sketch = Sketch::new();
        sketch.pass_to(1);
        (0..8).for_each(|_| sketch.add(7));
        (1..=7u64).for_each(|day| sketch.pass_to(day * 86_400_000_000_000 + 1));
        assert!((sketch.get(7) - 4.0).abs() < 1e-6, "{}", sketch.get(7));
        sketch.pass_to(u64::MAX);
        assert!(sketch.get(7) > 3.6);
        for _ in 0..2000 {
            sketch.pass_to(u64::MAX);
            sketch.now = 1;
        }
        sketch.add(9);
        assert!((sketch.get(9) - 1.0).abs() < 1e-6 && sketch.get(7) < 1e-3);
    }
}
