//! Events as protobuf messages.

use std::collections::BTreeMap;

use sentinel_event::Observation;

use crate::{EventId, Node, Section, facts, v1::EventEnvelope};

/// The message for an event. `folded` is the number of further events that this one stands for, usually 0.
pub fn envelope(observation: &Observation, folded: u64, node: &Node, id: EventId) -> EventEnvelope {
    let (mut data, mut attributes) = (BTreeMap::new(), BTreeMap::new());
    facts(observation, folded, &mut |fact, value| {
        let mut text = String::new();
        value.write(&mut text);
        match fact.section {
            Section::Data => data.insert(fact.key.to_owned(), text),
            Section::Attributes => attributes.insert(fact.key.to_owned(), text),
        };
    });
    EventEnvelope {
        event_id: id.to_string(),
        hostname: node.hostname.clone(),
        pod_name: observation.pod().map(|pod| pod.name.clone()).unwrap_or_default(),
        namespace: observation.pod().map(|pod| pod.namespace.clone()).unwrap_or_default(),
        container_id: observation.container_id.as_deref().unwrap_or_default().to_owned(),
        event_type: observation.event.kind().name().to_owned(),
        data,
        attributes,
        ts_unix_nano: observation.event.head.real_ns,
    }
}
