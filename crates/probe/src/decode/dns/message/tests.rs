#![allow(clippy::cast_possible_truncation, reason = "small numbers of our own")]

use proptest::prelude::*;

use super::*;

/// A name as it is sent.
fn name(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in text.split('.').filter(|label| !label.is_empty()) {
        bytes.push(label.len() as u8);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

/// A pointer to the name in the question.
const ASKED: [u8; 2] = [0xc0, 12];

fn record(name: &[u8], kind: u16, ttl_s: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = name.to_vec();
    bytes.extend_from_slice(&kind.to_be_bytes());
    bytes.extend_from_slice(&1u16.to_be_bytes());
    bytes.extend_from_slice(&ttl_s.to_be_bytes());
    bytes.extend_from_slice(&(data.len() as u16).to_be_bytes());
    bytes.extend_from_slice(data);
    bytes
}

fn message(flags: u16, question: &str, kind: u16, records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0x12, 0x34];
    for word in [flags, 1, records.len() as u16, 0, 0] {
        bytes.extend_from_slice(&word.to_be_bytes());
    }
    bytes.extend_from_slice(&name(question));
    bytes.extend_from_slice(&kind.to_be_bytes());
    bytes.extend_from_slice(&1u16.to_be_bytes());
    records.iter().for_each(|record| bytes.extend_from_slice(record));
    bytes
}

fn shown(answer: &Answer) -> Vec<String> {
    let text = |known: &NamedAddress| format!("{} {} {}", known.name, known.ip, known.ttl_s);
    answer.addresses.iter().map(text).collect()
}

#[test]
fn addresses_come_with_their_name_and_time() {
    let records = [record(&ASKED, A, 300, &[93, 184, 216, 34]), record(&ASKED, A, 60, &[93, 184, 216, 35])];
    let answer = read(&message(0x8180, "Example.COM", A, &records)).unwrap();
    assert_eq!(answer.question, "example.com");
    assert_eq!((answer.record_type, answer.code), (1, 0));
    assert_eq!(shown(&answer), ["example.com 93.184.216.34 300", "example.com 93.184.216.35 60"]);
    assert!(!answer.cut && !answer.truncated && !answer.malformed);
    let six = "2001:db8::7".parse::<Ipv6Addr>().unwrap().octets();
    let answer = read(&message(0x8180, "a.example", AAAA, &[record(&ASKED, AAAA, 5, &six)])).unwrap();
    assert_eq!(shown(&answer), ["a.example 2001:db8::7 5"]);
}

#[test]
fn other_names_lead_on_and_strangers_do_not() {
    let records = [
        record(&ASKED, CNAME, 60, &name("edge.cdn.example")),
        record(&name("edge.cdn.example"), A, 30, &[192, 0, 2, 1]),
        // Nobody asked about this one: whoever answers would name anybody's address.
        record(&name("bank.example"), A, 86400, &[198, 51, 100, 66]),
    ];
    let answer = read(&message(0x8180, "www.shop.example", A, &records)).unwrap();
    assert_eq!(shown(&answer), ["edge.cdn.example 192.0.2.1 30"]);
}

#[test]
fn a_refusal_is_an_answer_and_a_question_is_none() {
    let answer = read(&message(0x8183, "nowhere.example", A, &[])).unwrap();
    assert_eq!((answer.code, answer.addresses.len()), (3, 0));
    assert!(read(&message(0x8380, "x.example", A, &[])).unwrap().truncated);
    assert_eq!(read(&message(0x0100, "x.example", A, &[])), None, "a question");
    assert_eq!(read(&message(0xa800, "x.example", A, &[])), None, "an update");
    assert_eq!(read(b"SSH-2.0-OpenSSH_9.2"), None);
    assert_eq!(read(b""), None);
}

#[test]
fn names_are_shown_so_that_nothing_can_be_mistaken() {
    let mut bytes = message(0x8180, "", A, &[]);
    bytes.truncate(HEADER);
    bytes.extend_from_slice(b"\x03a.b\x02\n\xff\x01\\\x00\x00\x01\x00\x01");
    assert_eq!(read(&bytes).unwrap().question, "a\\.b.\\010\\255.\\\\");
    assert_eq!(read(&message(0x8180, ".", A, &[])).unwrap().question, ".");
}

#[test]
fn every_cut_keeps_what_came_before_it() {
    let records = [record(&ASKED, A, 1, &[192, 0, 2, 1]), record(&ASKED, A, 2, &[192, 0, 2, 2])];
    let whole = message(0x8180, "x.example", A, &records);
    let full = read(&whole).unwrap();
    for length in 0..whole.len() {
        let Some(answer) = read(&whole[..length]) else {
            assert!(length < 8, "{length}");
            continue;
        };
        assert!(answer.cut, "{length}");
        assert_eq!(answer.addresses[..], full.addresses[..answer.addresses.len()]);
    }
}

#[test]
fn pointers_in_circles_and_to_the_front_end() {
    for pointer in [[0xc0, 12], [0xc0, 13], [0xc0, 255], [0xff, 0xff], [0x80, 0], [0x40, 0]] {
        let mut bytes = message(0x8180, "", A, &[]);
        bytes.truncate(HEADER);
        bytes.extend_from_slice(&pointer);
        bytes.extend_from_slice(&[0, 1, 0, 1]);
        assert!(read(&bytes).unwrap().malformed, "{pointer:x?}");
    }
    // Back and back again, as far as it goes.
    let mut bytes = message(0x8180, "a.example", A, &[]);
    bytes[7] = 1;
    let mut to = 12;
    for _ in 0..60 {
        let at = bytes.len() as u16;
        bytes.extend_from_slice(&[1, b'x', 0xc0 | (to >> 8) as u8, to as u8]);
        to = at;
    }
    let mut at = Cursor { message: &bytes, at: usize::from(to) };
    assert_eq!(at.name().unwrap(), format!("{}a.example", "x.".repeat(60)));
}

#[test]
fn an_address_of_another_length_is_none() {
    let answer = read(&message(0x8180, "x.example", A, &[record(&ASKED, A, 1, &[1, 2, 3])])).unwrap();
    assert!(answer.malformed && answer.addresses.is_empty());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_say_more_than_there_is(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        if let Some(answer) = read(&bytes) {
            prop_assert!(answer.addresses.len() * 14 <= bytes.len());
            prop_assert!(answer.question.len() <= 4 * NAME_MAX);
        }
    }

    #[test]
    fn no_change_of_a_good_answer_makes_it_panic(at in 0usize..90, byte in any::<u8>(), cut in 0usize..90) {
        let records = [
            record(&ASKED, CNAME, 60, &name("edge.example")),
            record(&name("edge.example"), A, 30, &[192, 0, 2, 1]),
        ];
        let mut bytes = message(0x8180, "www.example", A, &records);
        let (at, cut) = (at % bytes.len(), cut % bytes.len());
        bytes[at] = byte;
        let _ = read(&bytes);
        let _ = read(&bytes[..cut]);
    }
}
