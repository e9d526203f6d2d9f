//! What is kept of events: who ran, and what it touched.

use prost::{
    Message,
    encoding::{encode_varint, encoded_len_varint},
};

/// What a process was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) ppid: u32,
    /// Since the Unix epoch; 0 when it is not known.
    pub(crate) start_ns: u64,
    /// When this was seen, milliseconds since the Unix epoch.
    pub(crate) ts_ms: i64,
    pub(crate) name: String,
    pub(crate) exe: String,
    pub(crate) cmdline: String,
}

/// Something that a process did. A protobuf message: many of them are one row.
#[derive(Clone, PartialEq, Eq, Message)]
pub(crate) struct Touch {
    /// Milliseconds since the Unix epoch.
    #[prost(int64, tag = "1")]
    pub(crate) ts_ms: i64,
    #[prost(uint32, tag = "2")]
    pub(crate) pid: u32,
    #[prost(string, tag = "3")]
    pub(crate) event_type: String,
    /// A path, an address, a program.
    #[prost(string, tag = "4")]
    pub(crate) what: String,
}

impl Touch {
    /// The last `limit` of them, in order of time.
    pub(super) fn last(mut touches: Vec<Self>, limit: usize) -> Vec<Self> {
        touches.sort_by(|a, b| {
            (a.ts_ms, a.pid, &a.event_type, &a.what).cmp(&(b.ts_ms, b.pid, &b.event_type, &b.what))
        });
        // A batch that was sent twice is here twice.
        touches.dedup();
        touches.split_off(touches.len().saturating_sub(limit))
    }
}

/// The content of a row.
#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Page {
    #[prost(message, repeated, tag = "1")]
    pub(super) touches: Vec<Touch>,
}

/// Touches in a row: what is read when only one of them is wanted.
const PAGE: usize = 512;

/// A row of touches, as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
    /// How many.
    pub(crate) touches: usize,
    /// A [`Page`], encoded.
    pub(crate) page: Vec<u8>,
}

impl Leaf {
    /// Puts another one behind: messages of a repeated field are one list when they stand one behind the other.
    fn append(&mut self, other: &Self) {
        (self.from_ms, self.to_ms) = match self.touches {
            0 => (other.from_ms, other.to_ms),
            _ => (self.from_ms.min(other.from_ms), self.to_ms.max(other.to_ms)),
        };
        self.touches += other.touches;
        self.page.extend_from_slice(&other.page);
    }
}

/// What is kept of a node's events.
#[derive(Debug, Clone, Default)]
pub(crate) struct Traces {
    pub(crate) node: String,
    pub(crate) processes: Vec<Process>,
    pub(crate) leaves: Vec<Leaf>,
}

impl Traces {
    /// Nothing to keep.
    pub(crate) fn is_empty(&self) -> bool {
        self.processes.is_empty() && self.leaves.is_empty()
    }

    /// Adds something that a process did, `event_type` to `what`.
    pub(crate) fn touch(&mut self, ts_ms: i64, pid: u32, event_type: &str, what: &str) {
        let leaf = match self.leaves.pop_if(|leaf| leaf.touches < PAGE) {
            Some(leaf) => leaf,
            None => Leaf { from_ms: ts_ms, to_ms: ts_ms, ..Leaf::default() },
        };
        let Leaf { from_ms, to_ms, touches, mut page } = leaf;
        // A Touch in a Page; encoded here, since texts need no owner for that.
        let text = |text: &str| {
            if text.is_empty() { 0 } else { 1 + encoded_len_varint(text.len() as u64) + text.len() }
        };
        let time = ts_ms.cast_unsigned();
        let length =
            2 + encoded_len_varint(time) + encoded_len_varint(pid.into()) + text(event_type) + text(what);
        encode_varint(TOUCHES, &mut page);
        encode_varint(length as u64, &mut page);
        encode_varint(TIME, &mut page);
        encode_varint(time, &mut page);
        encode_varint(PID, &mut page);
        encode_varint(pid.into(), &mut page);
        for (tag, text) in [(EVENT_TYPE, event_type), (WHAT, what)] {
            if !text.is_empty() {
                encode_varint(tag, &mut page);
                encode_varint(text.len() as u64, &mut page);
                page.extend_from_slice(text.as_bytes());
            }
        }
        let (from_ms, to_ms) = (from_ms.min(ts_ms), to_ms.max(ts_ms));
        self.leaves.push(Leaf { from_ms, to_ms, touches: touches + 1, page });
    }

    /// Adds what is kept of further events of the same node: few long rows are less work than many short ones.
    pub(crate) fn append(&mut self, other: Self) {
        self.processes.extend(other.processes);
        for leaf in other.leaves {
            match self.leaves.last_mut().filter(|last| last.touches + leaf.touches <= PAGE) {
                Some(last) => last.append(&leaf),
                None => self.leaves.push(leaf),
            }
        }
    }
}

// Fields of Page and of Touch: number << 3 | wire type.
const TOUCHES: u64 = 1 << 3 | 2;
const TIME: u64 = 1 << 3;
const PID: u64 = 2 << 3;
const EVENT_TYPE: u64 = 3 << 3 | 2;
const WHAT: u64 = 4 << 3 | 2;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    fn touches(leaf: &Leaf) -> Vec<Touch> {
        Page::decode(&*leaf.page).unwrap().touches
    }

    #[test]
    fn a_row_holds_what_was_put_in_it() {
        let touch = |ts_ms: i64, what: &str| Touch {
            ts_ms,
            pid: 7,
            event_type: "file_read".into(),
            what: what.into(),
        };
        let mut traces = Traces::default();
        let expected = [touch(5, "/a"), touch(-3, ""), touch(i64::MAX, &"x".repeat(300))];
        expected.iter().for_each(|touch| traces.touch(touch.ts_ms, 7, "file_read", &touch.what));
        traces.touch(0, 0, "", "");
        let nothing = Touch { ts_ms: 0, pid: 0, event_type: String::new(), what: String::new() };
        let leaf = &traces.leaves[0];
        assert_eq!((leaf.from_ms, leaf.to_ms, leaf.touches), (-3, i64::MAX, 4));
        assert_eq!(touches(leaf), [&expected[..], &[nothing]].concat());
    }

    #[test]
    fn rows_grow_to_their_length_and_no_further() {
        let of = |count: usize, at: i64| {
            let mut traces = Traces::default();
            (0..count).for_each(|_| traces.touch(at, 1, "exec", "/x"));
            traces
        };
        let mut traces = of(PAGE + 1, 9);
        assert_eq!(traces.leaves.iter().map(|leaf| leaf.touches).collect::<Vec<_>>(), [PAGE, 1]);
        traces.append(of(PAGE - 1, 4));
        let lengths: Vec<_> = traces.leaves.iter().map(|leaf| (leaf.touches, touches(leaf).len())).collect();
        assert_eq!(lengths, [(PAGE, PAGE), (PAGE, PAGE)]);
        assert_eq!((traces.leaves[1].from_ms, traces.leaves[1].to_ms), (4, 9));
        traces.append(of(1, 1));
        assert_eq!(traces.leaves.len(), 3);
    }
}
