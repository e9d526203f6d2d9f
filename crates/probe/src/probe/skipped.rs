//! What the kernel passes over. A program that can be interrupted (`fexit`, `fentry`, and tracepoints since 7.0) is not run
//! a second time on a processor where it has not come to its end: the kernel counts that and goes on, and what the
//! program would have told is lost.

use libbpf_rs::query::ProgInfoIter;

use super::Probe;
use crate::plan::SILENT;

/// Looks between two counts: all programs of the machine are gone through.
const EVERY: u32 = 5;

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Skipped {
    /// By the kernel's number of the program: what it has said last.
    known: Vec<(u32, u64)>,
    looks: u32,
}

impl Probe {
    /// As [`Probe::look`] does every few times.
    pub(crate) fn look_for_skipped(&mut self) {
        self.skipped.looks += 1;
        if self.skipped.looks.is_multiple_of(EVERY) {
            self.count_skipped();
        }
    }

    /// Adds up how often our programs were passed over until now; [`Counters::skipped`](crate::Counters::skipped) has it
    /// from then on, and the reader reports it.
    pub fn count_skipped(&mut self) {
        for info in ProgInfoIter::default().filter(|info| info.recursion_misses > 0) {
            let Some((name, _)) = self.ids.iter().find(|(_, id)| **id == info.id) else { continue };
            // Most of those that are no events themselves lose none, but who hands 32-bit calls on does.
            let (hands_on, silent) =
                (name.starts_with("compat_"), SILENT.iter().any(|silent| name.starts_with(silent)));
            if silent && !hands_on {
                continue;
            }
            let more = since(&mut self.skipped.known, info.id, info.recursion_misses);
            if more > 0 {
                let kinds =
                    self.jobs.iter().filter(|job| job.program() == Some(name)).flat_map(|job| job.job.kinds);
                let mut kinds = kinds.copied();
                let kind = kinds.next().filter(|_| kinds.next().is_none() && !hands_on);
                self.shared.skip(kind, more);
            }
        }
    }
}

/// How much more `now` is than what was known of `id`.
fn since(known: &mut Vec<(u32, u64)>, id: u32, now: u64) -> u64 {
    match known.iter_mut().find(|(other, _)| *other == id) {
        Some((_, before)) => now.saturating_sub(std::mem::replace(before, now)),
        None => {
            known.push((id, now));
            now
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_is_counted_from_where_it_was() {
        let mut known = Vec::new();
        let counted = [(7, 3), (8, 1), (7, 3), (7, 10), (8, 2)].map(|(id, now)| since(&mut known, id, now));
        assert_eq!(counted, [3, 1, 0, 7, 1]);
    }
}
