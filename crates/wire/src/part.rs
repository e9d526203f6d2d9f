//! Events of a batch by their workload: what belongs together goes the same way.

use prost::encoding::decode_varint;

use crate::message::{ATTRIBUTES, EVENTS, HOSTNAME, KEY, VALUE, batch_events, event_id, field, texts_of};

/// The attribute that names a workload.
const IMAGE: &[u8] = b"container.image.repository";

/// Some events of a batch, all of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// From 0 on.
    pub partition: u32,
    /// The identity of its first event: the same for the same events, whenever they are sent.
    pub id: String,
    /// The events, as [`Encoder::batched`](crate::Encoder::batched) writes them.
    pub events: Vec<u8>,
}

/// Splits what [`Encoder::batched`](crate::Encoder::batched) wrote by workload into `partitions`; no part has more than
/// `most` bytes, unless a single event has. The order of a workload's events stays.
///
/// A workload is the image of a container, on all nodes together, or a host. Its partition is the FNV-1a hash (32 bits)
/// of that name, modulo the number of partitions.
pub fn parts(events: &[u8], partitions: u32, most: usize) -> Vec<Part> {
    let (mut done, mut open) = (Vec::new(), Vec::<Part>::new());
    for message in batch_events(events) {
        let partition = fnv(workload(message)) % partitions.max(1);
        let size = message.len() + 8;
        let place = open.iter().position(|part| part.partition == partition);
        if let Some(place) =
            place.filter(|place| open.get(*place).is_some_and(|part| part.events.len() + size > most))
        {
            done.push(open.swap_remove(place));
        }
        let part = match open.iter().position(|part| part.partition == partition) {
            Some(place) => open.get_mut(place),
            None => {
                let id = String::from_utf8_lossy(event_id(message).unwrap_or_default()).into_owned();
                open.push(Part { partition, id, events: Vec::with_capacity(size) });
                open.last_mut()
            }
        };
        if let Some(part) = part {
            field(&mut part.events, EVENTS, message);
        }
    }
    done.append(&mut open);
    done
}

/// What names the workload of an event: its image, else its node.
fn workload(message: &[u8]) -> &[u8] {
    let image = texts_of(message, ATTRIBUTES).find_map(|mut entry| {
        let mut part = |wanted: u32| {
            let tag = decode_varint(&mut entry).ok().filter(|tag| *tag == u64::from(wanted));
            let length = usize::try_from(tag.and_then(|_| decode_varint(&mut entry).ok())?).ok()?;
            let (text, rest) = entry.split_at_checked(length)?;
            entry = rest;
            Some(text)
        };
        (part(KEY)? == IMAGE).then(|| part(VALUE)).flatten()
    });
    image.or_else(|| texts_of(message, HOSTNAME).next()).unwrap_or_default()
}

fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::v1::{EventBatch, EventEnvelope};

    fn event(id: usize, node: &str, image: &str) -> EventEnvelope {
        let mut event = EventEnvelope {
            event_id: format!("e{id}"),
            hostname: node.into(),
            event_type: "exec".into(),
            ts_unix_nano: 1,
            ..EventEnvelope::default()
        };
        event.attributes.insert("a".into(), "container.image.repository".into());
        if !image.is_empty() {
            event.attributes.insert("container.image.repository".into(), image.into());
        }
        event
    }

    fn read(part: &Part) -> Vec<EventEnvelope> {
        EventBatch::decode(part.events.as_slice()).unwrap().events
    }

    #[test]
    fn a_workload_has_one_partition_on_all_nodes_and_its_order() {
        let names =
            [("n1", "web"), ("n2", "web"), ("n1", "db"), ("n1", ""), ("n2", ""), ("n2", "db"), ("n1", "web")];
        let events: Vec<_> =
            names.iter().enumerate().map(|(id, (node, image))| event(id, node, image)).collect();
        let bytes = EventBatch { sequence: 0, events: events.clone() }.encode_to_vec();
        let parts = parts(&bytes, 1 << 16, 1 << 20);
        let mut found: Vec<Vec<String>> =
            parts.iter().map(|part| read(part).into_iter().map(|event| event.event_id).collect()).collect();
        found.sort();
        assert_eq!(found, [vec!["e0", "e1", "e6"], vec!["e2", "e5"], vec!["e3"], vec!["e4"]]);
        assert!(parts.iter().all(|part| part.id == read(part)[0].event_id));
        assert_eq!(fnv(b"foobar"), 0xbf9c_f968, "as everybody computes it");
    }

    #[test]
    fn no_part_is_too_long_and_none_is_lost() {
        let events: Vec<_> = (0..1000).map(|id| event(id, "n", "web")).collect();
        let bytes = EventBatch { sequence: 0, events }.encode_to_vec();
        let parts = parts(&bytes, 8, 4096);
        assert!(parts.len() > 10 && parts.iter().all(|part| part.events.len() <= 4096));
        let ids: Vec<_> = parts.iter().flat_map(read).map(|event| event.event_id).collect();
        assert_eq!(ids, (0..1000).map(|id| format!("e{id}")).collect::<Vec<_>>());
        assert_eq!(super::parts(b"\xff\xff nonsense", 8, 4096), []);
        assert_eq!(super::parts(&bytes, 0, 0).len(), 1000, "one event is never cut");
    }
}
