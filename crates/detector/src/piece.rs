//! The feed in pieces, as they are sent: put into words once, however many read it.

use std::fmt::Write as _;

use axum::body::Bytes;

/// Bytes of a piece, about.
const BYTES: usize = 64 << 10;

/// Some messages of the feed, one after the other.
#[derive(Debug)]
pub(crate) struct Piece {
    /// As Server-Sent Events.
    text: Bytes,
    /// Of each message its sequence, and where in the text it ends.
    ends: Vec<(u64, usize)>,
}

impl Piece {
    /// The sequence of the last message.
    pub(crate) fn last(&self) -> u64 {
        self.ends.last().map_or(0, |(seq, _)| *seq)
    }

    /// What comes after the message of this sequence. Empty: nothing.
    pub(crate) fn after(&self, seq: u64) -> Bytes {
        let known = self.ends.partition_point(|(one, _)| *one <= seq);
        let begin = known.checked_sub(1).and_then(|place| self.ends.get(place)).map_or(0, |(_, end)| *end);
        self.text.slice_ref(self.text.get(begin..).unwrap_or_default())
    }
}

/// Messages, by sequence and JSON without line ends, in their order as pieces.
pub(crate) fn pieces(messages: impl IntoIterator<Item = (u64, String)>) -> impl Iterator<Item = Piece> {
    let mut messages = messages.into_iter();
    std::iter::from_fn(move || {
        let (mut text, mut ends) = (String::new(), Vec::new());
        while text.len() < BYTES
            && let Some((seq, json)) = messages.next()
        {
            // Writing to a string cannot fail.
            let _ = write!(text, "id: {seq}\ndata: {json}\n\n");
            ends.push((seq, text.len()));
        }
        (!ends.is_empty()).then(|| Piece { text: text.into(), ends })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_begins_where_its_reader_is() {
        let all: Vec<Piece> = pieces([(3, "{}".to_owned()), (5, "[7]".to_owned())]).collect();
        let [piece] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!(piece.last(), 5);
        let (both, second) = ("id: 3\ndata: {}\n\nid: 5\ndata: [7]\n\n", "id: 5\ndata: [7]\n\n");
        for (seq, rest) in [(0, both), (2, both), (3, second), (4, second), (5, ""), (9, "")] {
            assert_eq!(piece.after(seq), rest, "after {seq}");
        }
    }

    #[test]
    fn much_is_many_pieces_and_nothing_is_none() {
        assert_eq!(pieces([]).count(), 0);
        let long = || "x".repeat(BYTES / 2);
        let all: Vec<Vec<u64>> = pieces((1..=5).map(|seq| (seq, long())))
            .map(|piece| piece.ends.iter().map(|(seq, _)| *seq).collect())
            .collect();
        assert_eq!(all, [vec![1, 2], vec![3, 4], vec![5]]);
    }
}
