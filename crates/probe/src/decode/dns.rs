//! Answers from port 53.

mod message;

use sentinel_event::{Body, Dns};

use super::{Content, Decode, DecodeError, Tail, net::socket};
use crate::abi;

const SOCK_STREAM: u16 = 1;

impl Decode for abi::sentinel_dns {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        let (socket, bytes) = (socket(&self.socket, tail)?, tail.bytes(self.message)?);
        // On a stream the length comes first, in the same read or in one of its own.
        let framed = bytes.get(2..).filter(|_| self.socket.type_ == SOCK_STREAM);
        let answer = message::read(bytes).or_else(|| message::read(framed?));
        let whole = usize::try_from(self.bytes).is_ok_and(|there| there <= bytes.len());
        let Some(answer) = answer else {
            let dns = Dns { socket, bytes: self.bytes, truncated: !whole, malformed: true, ..Dns::default() };
            return Ok(Content::Body(Body::Dns(dns)));
        };
        Ok(Content::Body(Body::Dns(Dns {
            socket,
            question: answer.question,
            record_type: answer.record_type,
            code: answer.code,
            addresses: answer.addresses,
            bytes: self.bytes,
            truncated: answer.truncated || !whole,
            malformed: answer.malformed || answer.cut && whole,
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::wire_tests::{body, every_cut_fails, len16, record, span};

    /// One address of `a.example`.
    const ANSWER: &[u8] = b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x01a\x07example\0\0\x01\0\x01\
        \xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07";

    fn dns(stream: bool, bytes: &[u8], there: u32) -> Dns {
        let socket =
            abi::sentinel_sock { family: 2, type_: if stream { 1 } else { 2 }, ..Default::default() };
        let message = span(0, len16(bytes));
        let wire = abi::sentinel_dns { socket, message, bytes: there, ..Default::default() };
        let bytes = record(45, &wire, bytes);
        every_cut_fails(&bytes);
        match body(&bytes) {
            Body::Dns(dns) => dns,
            other => panic!("{other:?}"),
        }
    }

    fn shown(dns: &Dns) -> String {
        let all: Vec<_> = dns.addresses.iter().map(|a| format!("{} {} {}", a.name, a.ip, a.ttl_s)).collect();
        let marks = [(dns.truncated, "truncated"), (dns.malformed, "malformed")];
        let marks: Vec<_> = marks.iter().filter(|(set, _)| *set).map(|(_, mark)| *mark).collect();
        format!("{}: {} {}", dns.question, all.join(","), marks.join(","))
    }

    #[test]
    fn an_answer_is_read_by_datagram_and_by_stream() {
        let there = u32::from(len16(ANSWER));
        assert_eq!(shown(&dns(false, ANSWER, there)), "a.example: a.example 192.0.2.7 60 ");
        assert_eq!(shown(&dns(true, ANSWER, there)), "a.example: a.example 192.0.2.7 60 ");
        let framed = [&[0, u8::try_from(there).unwrap()], ANSWER].concat();
        assert_eq!(shown(&dns(true, &framed, there + 2)), "a.example: a.example 192.0.2.7 60 ");
    }

    #[test]
    fn what_is_not_whole_says_so() {
        assert_eq!(shown(&dns(false, ANSWER, 900)), "a.example: a.example 192.0.2.7 60 truncated");
        let (cut, there) = (&ANSWER[..30], u32::from(len16(ANSWER)));
        assert_eq!(shown(&dns(false, cut, there)), "a.example:  truncated");
        assert_eq!(shown(&dns(false, cut, 30)), "a.example:  malformed");
        assert_eq!(shown(&dns(false, b"no answer at all", 16)), ":  malformed");
        assert_eq!(shown(&dns(false, b"", 16)), ":  truncated,malformed");
    }
}
