//! Counts made beforehand are those that reading every alert gives.

use std::collections::BTreeMap;

use super::*;

/// Counts by bucket, sort, name and severity.
type Counted = BTreeMap<(i64, Sort, String, String, u8), u64>;

fn counted(reader: &mut SqliteReader, from: i64, to: i64, bucket: i64) -> (Counted, usize) {
    let (mut counts, mut whiles) = (Counted::new(), 0);
    let mut add = |ts_ms: i64, sort, name: &str, more: &str, severity, count| {
        let key = (ts_ms - ts_ms.rem_euclid(bucket), sort, name.to_owned(), more.to_owned(), severity);
        *counts.entry(key).or_default() += count;
    };
    let mut take = |seen: Seen<'_>| match seen {
        Seen::One(brief) => {
            for name in brief.names() {
                add(brief.ts_ms, name.sort, &name.name, &name.more, name.severity, 1);
            }
        }
        Seen::Many(Count { ts_ms, sort, name, more, severity, count }) => {
            whiles += 1;
            add(ts_ms, sort, name, more, severity, count);
        }
    };
    reader.each(from, to, bucket, &mut take).unwrap();
    (counts, whiles)
}

/// What every alert one by one gives: in buckets of a length that no while fits.
fn one_by_one(reader: &mut SqliteReader, from: i64, to: i64, bucket: i64) -> Counted {
    let mut counts = Counted::new();
    let mut take = |seen: Seen<'_>| {
        let Seen::One(brief) = seen else { panic!("{seen:?}") };
        let begin = brief.ts_ms - brief.ts_ms.rem_euclid(bucket);
        for Name { sort, name, more, severity } in brief.names() {
            *counts.entry((begin, sort, name.into_owned(), more.into_owned(), severity)).or_default() += 1;
        }
    };
    reader.each(from, to, 1, &mut take).unwrap();
    counts
}

/// Alerts of an hour, at odd times, of some workloads.
fn hour(first: u64, count: u64) -> Vec<Entry> {
    let one = |n: u64| {
        let ms = n.wrapping_mul(2_654_435_761) % 3_600_000;
        let json = match n % 3 {
            0 => format!(r#"{{"pod": {{"name": "web-{}", "namespace": "shop"}}}}"#, n % 5),
            1 => r#"{"unit": "ssh.service"}"#.to_owned(),
            _ => "{}".to_owned(),
        };
        with_json(&n.to_string(), ms, json)
    };
    (first..first + count).map(one).collect()
}

#[test]
fn counts_are_those_of_every_alert_also_after_some_were_forgotten() {
    let directory = TempDir::new().unwrap();
    let (mut writer, mut reader) = open(directory.path(), &Retention::default());
    writer.append(&hour(0, 3000), &[], 1).unwrap();
    // Some of them came before.
    writer.append(&hour(2000, 2000), &[], 86_400_000).unwrap();
    let mut check = |told: u64| {
        for (from, to) in
            [(0, i64::MAX), (0, 3_600_000), (123_456, 2_345_678), (299_999, 300_001), (5, 9_000)]
        {
            for bucket in [10_000, 30_000, 300_000, 900_000, 86_400_000] {
                let (counts, _) = counted(&mut reader, from, to, bucket);
                assert_eq!(counts, one_by_one(&mut reader, from, to, bucket), "{from} {to} {bucket}");
            }
        }
        let (counts, whiles) = counted(&mut reader, 0, i64::MAX, 300_000);
        let total: u64 = counts.iter().filter(|(key, _)| key.1 == Sort::Rule).map(|(_, count)| count).sum();
        assert_eq!(total, told);
        // Of twelve whiles, and fourteen names at most.
        assert!(whiles > 0 && whiles <= 12 * 14, "{whiles} rows were read for {told} alerts");
        assert_eq!(counted(&mut reader, i64::MIN, i64::MAX, 300_000).0, counts);
        assert_eq!(counted(&mut reader, 7, 7, 300_000).0, Counted::new());
    };
    check(4000);
    // The first three thousand are too old.
    trim(&mut writer, 30 * 86_400_000 + 2);
    check(1000);
    trim(&mut writer, i64::MAX);
    let path = directory.path().join("deep/below/history.db");
    let left = Connection::open(&path).unwrap();
    assert_eq!(left.query_row("SELECT count(*) FROM counts", [], |row| row.get::<_, i64>(0)).unwrap(), 0);
}

#[test]
fn a_history_of_before_is_counted_when_it_is_opened() {
    let directory = TempDir::new().unwrap();
    let (mut writer, mut reader) = open(directory.path(), &Retention::default());
    writer.append(&hour(0, 500), &[], 1).unwrap();
    let before = counted(&mut reader, 0, i64::MAX, 300_000);
    drop((writer, reader));
    let path = directory.path().join("deep/below/history.db");
    let old = "DROP TABLE counts; UPDATE alerts SET workload = '' WHERE pod <> ''; PRAGMA user_version = 3";
    Connection::open(&path).unwrap().execute_batch(old).unwrap();
    let (_writer, mut reader) = open(directory.path(), &Retention::default());
    assert_eq!(counted(&mut reader, 0, i64::MAX, 300_000), before);
}
