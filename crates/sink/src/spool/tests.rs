use super::*;

/// Reads.
fn texts(spool: &mut Spool, records: usize) -> Vec<String> {
    let found = spool.read(records, usize::MAX).unwrap();
    found.into_iter().map(|record| String::from_utf8(record.bytes).unwrap()).collect()
}

/// Reads and takes.
fn take(spool: &mut Spool, records: usize) -> Vec<String> {
    let found = spool.read(records, usize::MAX).unwrap();
    let take = |record: Record| {
        spool.taken(record.place).unwrap();
        String::from_utf8(record.bytes).unwrap()
    };
    found.into_iter().map(take).collect()
}

#[test]
fn records_come_in_order_until_they_are_taken() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(dir.path(), 1 << 20).unwrap();
    assert_eq!(texts(&mut spool, 9), [""; 0]);
    for record in ["a", "b", "c"] {
        spool.push(record.as_bytes()).unwrap();
    }
    assert_eq!(texts(&mut spool, 2), ["a", "b"]);
    spool.again();
    assert_eq!(take(&mut spool, 2), ["a", "b"], "they were not taken");
    spool.push(b"d").unwrap();
    spool.again();
    assert_eq!(take(&mut spool, 9), ["c", "d"], "the others were");
    assert!(spool.is_empty());
    assert_eq!((texts(&mut spool, 9).len(), spool.bytes()), (0, 0));
    spool.push(b"e").unwrap();
    assert_eq!(texts(&mut spool, 9), ["e"]);
}

#[test]
fn records_outlive_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(dir.path(), 64 << 20).unwrap();
    let record = |number: usize| format!("{number}{}", "x".repeat(1 << 20));
    for number in 0..10 {
        spool.push(record(number).as_bytes()).unwrap();
    }
    assert!(matches!(Spool::open(dir.path(), 1), Err(SpoolError::InUse)));
    drop(spool);
    let mut spool = Spool::open(dir.path(), 64 << 20).unwrap();
    assert!(spool.bytes() > 10 << 20);
    spool.push(b"last").unwrap();
    let mut read = Vec::new();
    while !spool.is_empty() {
        read.extend(take(&mut spool, 3));
    }
    assert_eq!(read.len(), 11);
    assert!((0..10).all(|number| read[number] == record(number)) && read[10] == "last");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "only the lock is left");
}

#[test]
fn what_is_read_ahead_stays_until_it_is_taken_in_any_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(dir.path(), 64 << 20).unwrap();
    // Each fills a segment.
    let record = |number: u8| vec![number; 1 << 20];
    (0..4).for_each(|number| spool.push(&record(number)).unwrap());
    let files = || fs::read_dir(dir.path()).unwrap().count() - 1;
    let mut read = || spool.read(9, usize::MAX).unwrap().remove(0);
    let [first, second, third] = [read(), read(), read()];
    assert_eq!([&first, &second, &third].map(|record| record.bytes[0]), [0, 1, 2]);
    assert!(!spool.is_read());
    spool.taken(second.place).unwrap();
    assert_eq!(files(), 4, "the oldest goes first");
    spool.taken(first.place).unwrap();
    assert_eq!(files(), 2);
    spool.taken(first.place).unwrap();
    drop(spool);
    let mut spool = Spool::open(dir.path(), 64 << 20).unwrap();
    let left: Vec<u8> = (0..2).map(|_| spool.read(9, usize::MAX).unwrap()[0].bytes[0]).collect();
    assert_eq!(left, [2, 3], "what was not taken comes again");
    assert!(spool.is_read() && !spool.is_empty());
    spool.push(b"more").unwrap();
    assert_eq!(texts(&mut spool, 9), ["more"]);
}

#[test]
fn a_full_spool_refuses_and_takes_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = Spool::open(dir.path(), 30).unwrap();
    spool.push(b"0123456789").unwrap();
    assert!(matches!(spool.push(b"0123456789"), Err(SpoolError::Full)));
    spool.push(b"0123").unwrap();
    assert!(matches!(spool.push(&vec![0; RECORD_MAX + 1]), Err(SpoolError::TooLong(_))));
    assert_eq!(take(&mut spool, 9), ["0123456789", "0123"]);
    spool.push(b"0123456789").unwrap();
}

#[test]
fn damage_costs_the_rest_of_its_segment() {
    let dir = tempfile::tempdir().unwrap();
    for (hit, left) in [(0, 0), (9 + 8, 1), (2 * 9 - 1, 1), (3 * 9 - 1, 2)] {
        let mut spool = Spool::open(dir.path(), 1000).unwrap();
        for record in ["a", "b", "c"] {
            spool.push(record.as_bytes()).unwrap();
        }
        let path = spool.path(spool.segments[0].number);
        drop(spool);
        let mut bytes = fs::read(&path).unwrap();
        bytes[hit] ^= 0xff;
        fs::write(&path, bytes).unwrap();
        let mut spool = Spool::open(dir.path(), 1000).unwrap();
        spool.push(b"d").unwrap();
        let mut read = Vec::new();
        while !spool.is_empty() {
            read.extend(take(&mut spool, 1));
        }
        let expected: Vec<_> = ["a", "b", "c"].into_iter().take(left).chain(["d"]).collect();
        assert_eq!(read, expected, "hit at {hit}");
        assert_eq!(spool.damaged(), 27 - 9 * left as u64);
    }
}
