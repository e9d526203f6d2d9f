//! What the host takes away: a processor that it gives to others stands still for milliseconds, and so does whoever is on
//! it. Seconds in which it did are left out of what waits come to.

use std::{fs, thread, time::Duration};

use anyhow::{Context, Result};

use crate::{agent::Agent, metrics};

/// Length of a slice.
const SLICE: Duration = Duration::from_secs(1);
/// So few undisturbed slices say nothing.
const ENOUGH: usize = 3;

/// Ticks of all processors since the start: all of them, and those that the host gave to others (`steal` of proc(5)).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticks {
    all: f64,
    stolen: f64,
}

impl Ticks {
    pub(crate) fn now() -> Result<Self> {
        let stat = fs::read_to_string("/proc/stat")?;
        // Guests' time is in user's already.
        let ticks = stat.lines().next().unwrap_or_default().split_whitespace().skip(1).take(8);
        let ticks: Vec<f64> = ticks.map(str::parse).collect::<Result<_, _>>().context("/proc/stat")?;
        Ok(Self { all: ticks.iter().sum(), stolen: ticks.get(7).copied().unwrap_or_default() })
    }

    /// The share that was stolen between then and now.
    pub(crate) fn stolen_percent(self, now: Self) -> f64 {
        (now.stolen - self.stolen) / (now.all - self.all).max(1.0) * 100.0
    }
}

/// A look at the agent's histogram, and when that was.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    ages: Vec<(f64, f64)>,
    ticks: Ticks,
}

impl Look {
    fn at(agent: &Agent) -> Result<Self> {
        Ok(Self { ages: agent.ages()?, ticks: Ticks::now()? })
    }
}

/// Does it, and looks at the agent every second meanwhile.
pub(crate) fn beside<T: Send>(
    agent: &Agent,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<(T, Vec<Look>)> {
    thread::scope(|scope| {
        let mut looks = vec![Look::at(agent)?];
        let worker = scope.spawn(work);
        while !worker.is_finished() {
            thread::sleep(SLICE);
            looks.push(Look::at(agent)?);
        }
        let done = worker.join().map_err(|_| anyhow::anyhow!("the thread beside died"))??;
        Ok((done, looks))
    })
}

/// How old events were while nothing was stolen: upper bounds in seconds, and how many were no older; and how much of the time
/// that was, in percent. Where there was hardly any, all of it counts, and the percentage is zero.
pub(crate) fn undisturbed(looks: &[Look]) -> (Vec<(f64, f64)>, f64) {
    let slices: Vec<_> = looks.iter().zip(looks.iter().skip(1)).collect();
    let quiet: Vec<_> =
        slices.iter().copied().filter(|(then, now)| now.ticks.stolen <= then.ticks.stolen).collect();
    if quiet.len() < ENOUGH {
        return (came(&slices), 0.0);
    }
    (came(&quiet), quiet.len() as f64 / slices.len() as f64 * 100.0)
}

fn came(slices: &[(&Look, &Look)]) -> Vec<(f64, f64)> {
    let mut sum: Vec<(f64, f64)> = Vec::new();
    for (then, now) in slices {
        for (at, (bound, came)) in metrics::between(&then.ages, &now.ages).into_iter().enumerate() {
            match sum.get_mut(at) {
                Some((_, count)) => *count += came,
                None => sum.push((bound, came)),
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks a second apart: events no older than 1 ms and all, and ticks stolen, since the start.
    fn looks(seconds: &[(f64, f64, f64)]) -> Vec<Look> {
        let look = |(at, (young, all, stolen)): (usize, &(f64, f64, f64))| Look {
            ages: vec![(0.001, *young), (f64::INFINITY, *all)],
            ticks: Ticks { all: at as f64 * 200.0, stolen: *stolen },
        };
        seconds.iter().enumerate().map(look).collect()
    }

    #[test]
    fn seconds_in_which_something_was_stolen_are_left_out() {
        let looks = looks(&[(0., 0., 7.), (9., 10., 7.), (10., 20., 9.), (20., 30., 9.), (29., 40., 9.)]);
        assert_eq!(undisturbed(&looks), (vec![(0.001, 28.0), (f64::INFINITY, 30.0)], 75.0));
        assert_eq!(undisturbed(&looks[..3]), (vec![(0.001, 10.0), (f64::INFINITY, 20.0)], 0.0));
        assert_eq!(undisturbed(&[]), (vec![], 0.0));
    }

    #[test]
    fn what_was_stolen_is_a_share_of_all_processors() {
        let of = |all, stolen| Ticks { all, stolen };
        assert!((of(100.0, 2.0).stolen_percent(of(300.0, 3.0)) - 0.5).abs() < 1e-9);
        assert!(of(100.0, 2.0).stolen_percent(of(100.0, 2.0)).abs() < 1e-9);
    }
}
