//! Reads the agent's own counters: HTTP in its simplest form, Prometheus text.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result};

/// The answer to `GET path` on the loopback: status and body.
pub(crate) fn get(port: u16, path: &str) -> Result<(u16, String)> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer is not HTTP")?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no HTTP status")?;
    Ok((status, body.to_owned()))
}

/// The sum over all labels of the series called `name`; none when there is no such series.
pub(crate) fn sum(text: &str, name: &str) -> Option<f64> {
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        // A brace inside a label's value is fine: the value of the series follows the last one.
        let value = match rest.strip_prefix('{') {
            Some(labels) => labels.rsplit_once('}')?.1,
            None => rest.strip_prefix(' ')?,
        };
        value.split_whitespace().next()?.parse::<f64>().ok()
    });
    values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
}

/// The buckets of the histogram called `name`: upper bound, and how many were no larger.
pub(crate) fn buckets(text: &str, name: &str) -> Vec<(f64, f64)> {
    let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix("_bucket{le=\""));
    let pairs = lines.filter_map(|rest| rest.split_once("\"} "));
    pairs.filter_map(|(bound, count)| Some((bound.parse().ok()?, count.parse().ok()?))).collect()
}

/// What came between two readings of a histogram: bounds, and how many were no more.
pub(crate) fn between(before: &[(f64, f64)], after: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let came = after.iter().enumerate().map(|(at, (bound, count))| {
        let before = before.get(at).map_or(0.0, |(_, count)| *count);
        (*bound, count - before)
    });
    came.collect()
}

/// The bound that this share of what came did not exceed.
pub(crate) fn quantile(came: &[(f64, f64)], share: f64) -> Option<f64> {
    let (_, all) = came.last()?;
    let (bound, _) = came.iter().find(|(_, count)| *count >= share * all)?;
    (*all > 0.0).then_some(*bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_one_name_are_added() {
        let text = "# HELP lost Lost.\nlost{kind=\"a}b\",why=\"x\"} 2\nlost{kind=\"c\"} 3 1700000000000\nlost_bytes 9\nup 1\n";
        assert_eq!(sum(text, "lost"), Some(5.0));
        assert_eq!(sum(text, "up"), Some(1.0));
        assert_eq!(sum(text, "down"), None);
    }

    #[test]
    fn what_came_between_two_readings_has_quantiles() {
        let page = |counts: [u32; 3]| {
            let [one, two, all] = counts;
            let text = format!(
                "# TYPE age histogram\nage_bucket{{le=\"0.001\"}} {one}\nage_bucket{{le=\"0.002\"}} {two}\nage_bucket{{le=\"+Inf\"}} {all}\nage_sum 1\n"
            );
            buckets(&text, "age")
        };
        let (before, after) = (page([5, 5, 5]), page([105, 204, 205]));
        assert_eq!(after.len(), 3);
        assert_eq!(quantile(&between(&before, &after), 0.5), Some(0.001));
        assert_eq!(quantile(&between(&before, &after), 0.99), Some(0.002));
        assert_eq!(quantile(&between(&before, &after), 1.0), Some(f64::INFINITY));
        assert_eq!(quantile(&between(&after, &after), 0.5), None);
    }
}
