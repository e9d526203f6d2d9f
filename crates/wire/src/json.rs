//! Events as JSON, written straight into a buffer that is used again.

use sentinel_event::Observation;

use crate::{
    EventId, EventIds, Fact, Node, Section,
    actor::Actors,
    facts::{Part, facts_in},
    value::{Out, Value},
};

/// Attribute of events that rules of the node have judged: the generation of these rules.
pub const RULES: &str = "sentinel.rules";

/// Writes events: as JSON objects (design.md, 4.2), one a line, and as protobuf messages.
#[derive(Debug)]
pub struct Encoder {
    ids: EventIds,
    /// The value of `hostname` in JSON, escaped once.
    hostname: Vec<u8>,
    pub(crate) node: Node,
    pub(crate) rules: Option<u64>,
    /// Of actors, their facts as lines have them, and as messages.
    lines: Actors,
    pub(crate) messages: Actors,
}

impl Encoder {
    /// An encoder for the events of `node`.
    pub fn new(node: &Node) -> Self {
        let mut hostname = Vec::new();
        Json(&mut hostname).any(node.hostname.as_bytes());
        Self {
            ids: EventIds::default(),
            hostname,
            node: node.clone(),
            rules: None,
            lines: Actors::default(),
            messages: Actors::default(),
        }
    }

    /// Which generation of the node's detection rules has judged the events that follow: the attribute
    /// [`RULES`]. None: nobody has judged them, and they do not have it.
    pub fn judged_by(&mut self, generation: Option<u64>) {
        self.rules = generation;
    }

    /// Appends one line to `out`: the event's object and a newline. `folded` is the number of further events
    /// that this one stands for, usually 0.
    pub fn line(&mut self, observation: &Observation, folded: u64, out: &mut Vec<u8>) {
        let id = self.ids.next(observation.event.head.real_ns);
        self.object(id, observation, folded, out);
        out.push(b'\n');
    }

    /// Appends the event's object to `out`, for [`crate::evt1::write_record`]; the event is called `id`.
    pub fn object(&mut self, id: EventId, observation: &Observation, folded: u64, out: &mut Vec<u8>) {
        let head = &observation.event.head;
        out.reserve(USUAL);
        out.extend_from_slice(b"{\"event_id\":\"");
        out.extend_from_slice(&id.text());
        out.extend_from_slice(b"\",\"ts_unix_nano\":");
        Value::U64(head.real_ns).write(&mut Json(out));
        out.extend_from_slice(b",\"hostname\":\"");
        out.extend_from_slice(&self.hostname);
        match observation.pod() {
            None => out.extend_from_slice(b"\",\"pod\":\"\",\"namespace\":\"\",\"container_id\":\""),
            Some(pod) => {
                out.extend_from_slice(b"\",\"pod\":\"");
                Json(out).any(pod.name.as_bytes());
                out.extend_from_slice(b"\",\"namespace\":\"");
                Json(out).any(pod.namespace.as_bytes());
                out.extend_from_slice(b"\",\"container_id\":\"");
            }
        }
        Json(out).any(observation.container_id.as_deref().unwrap_or_default().as_bytes());
        out.extend_from_slice(b"\",\"event_type\":\"");
        out.extend_from_slice(observation.event.kind().name().as_bytes());
        out.extend_from_slice(b"\",\"data\":{");

        let mut section = Section::Data;
        let mut first = true;
        facts_in(Part::Before, observation, folded, &mut |fact, value| {
            if fact.section != section {
                section = fact.section;
                first = true;
                out.extend_from_slice(ATTRIBUTES);
            }
            // The comma is for all but the first.
            put(fact, value, usize::from(std::mem::take(&mut first)), out);
        });
        if section == Section::Data {
            out.extend_from_slice(ATTRIBUTES);
            first = true;
        }
        let actor = self.lines.encoded(observation, |out| {
            facts_in(Part::Actor, observation, folded, &mut |fact, value| put(fact, value, 0, out));
        });
        let skipped = usize::from(first && !actor.is_empty());
        out.extend_from_slice(actor.get(skipped..).unwrap_or_default());
        first &= actor.is_empty();
        facts_in(Part::After, observation, folded, &mut |fact, value| {
            put(fact, value, usize::from(std::mem::take(&mut first)), out);
        });
        if let Some(generation) = self.rules {
            out.extend_from_slice(if first { b"\"" } else { b",\"" });
            out.extend_from_slice(RULES.as_bytes());
            out.extend_from_slice(b"\":\"");
            Value::U64(generation).write(&mut Json(out));
            out.push(b'"');
        }
        out.extend_from_slice(b"}}");
    }
}

/// A fact, without the first `skipped` bytes.
fn put(fact: &Fact, value: Value<'_>, skipped: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(fact.json.as_bytes().get(skipped..).unwrap_or_default());
    value.write(&mut Json(out));
    out.push(b'"');
}

/// A line seldom has more bytes.
const USUAL: usize = 1536;
/// Between the two maps.
const ATTRIBUTES: &[u8] = b"},\"attributes\":{";

/// The inside of a JSON string.
pub(crate) struct Json<'a>(pub(crate) &'a mut Vec<u8>);

impl Out for Json<'_> {
    fn clean(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn any(&mut self, bytes: &[u8]) {
        // No early exit: so the compiler looks at many bytes at once.
        if bytes.iter().fold(true, |all, byte| all & plain(*byte)) {
            self.0.extend_from_slice(bytes);
            return;
        }
        for chunk in bytes.utf8_chunks() {
            for char in chunk.valid().chars() {
                escape(self.0, char);
            }
            if !chunk.invalid().is_empty() {
                self.0.extend_from_slice("\u{fffd}".as_bytes());
            }
        }
    }
}

fn plain(byte: u8) -> bool {
    (byte.wrapping_sub(b' ') <= b'~' - b' ') & (byte != b'"') & (byte != b'\\')
}

/// Every control character is escaped, those above ASCII too: a terminal may obey them.
fn escape(out: &mut Vec<u8>, char: char) {
    match char {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        control if control.is_control() => {
            out.extend_from_slice(format!("\\u{:04x}", u32::from(control)).as_bytes());
        }
        other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}
