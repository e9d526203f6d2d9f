//! What a file of samples holds.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use sentinel_event::{Observation, Process, ProcessKey};
use sentinel_rules::language::envelope::Envelope;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

/// An item of a file.
#[derive(Debug)]
pub(super) enum Item {
    /// An event and what it must raise.
    Sample(Box<Sample>),
    /// A rule that goes without.
    Unsampled(Unsampled),
}

/// An event, as NDJSON and EVT1 have it, with the rules that must and must not match it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sample {
    /// What happens in it.
    pub(super) sample: String,
    /// Names or ids of rules. All rules that match, of those that are switched on, must be among them.
    #[serde(default)]
    pub(super) fires: Vec<String>,
    /// Names or ids of rules that come close and must not match.
    #[serde(default)]
    pub(super) silent: Vec<String>,
    /// Events that happen before, whatever they raise; for rules that count or wait.
    #[serde(default)]
    pub(super) before: Vec<Event>,
    event_type: String,
    #[serde(default)]
    ts_unix_nano: u64,
    #[serde(default)]
    container_id: String,
    #[serde(default)]
    data: Map,
    #[serde(default)]
    attributes: Map,
    #[serde(default)]
    ancestors: Vec<Ancestor>,
    // Part of every event, and without meaning here.
    #[serde(default, rename = "event_id")]
    _event_id: de::IgnoredAny,
    #[serde(default, rename = "hostname")]
    _hostname: de::IgnoredAny,
    #[serde(default, rename = "pod")]
    _pod: de::IgnoredAny,
    #[serde(default, rename = "namespace")]
    _namespace: de::IgnoredAny,
}

/// An event without expectations.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Event {
    event_type: String,
    #[serde(default)]
    ts_unix_nano: u64,
    #[serde(default)]
    container_id: String,
    #[serde(default)]
    data: Map,
    #[serde(default)]
    attributes: Map,
    #[serde(default)]
    ancestors: Vec<Ancestor>,
}

/// A rule that cannot be sampled.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unsampled {
    /// Name or id.
    pub(super) unsampled: String,
    /// Why.
    pub(super) reason: String,
}

/// A process above the one that acts; the first is who created it. In place of the one parent that an
/// envelope names.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ancestor {
    #[serde(default)]
    pid: u32,
    #[serde(default)]
    name: String,
    #[serde(default)]
    exe: String,
    #[serde(default)]
    args: Vec<String>,
}

type Map = BTreeMap<String, Scalar>;

/// A value as text; YAML's numbers and booleans are taken as they read.
#[derive(Debug)]
struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number or a boolean")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar(value.to_string()))
            }
        }
        deserializer.deserialize_any(Text)
    }
}

/// When samples happen that do not say so: any fixed time, so that runs are alike.
const NOW: u64 = 1_700_000_000_000_000_000; // nanoseconds since the Unix epoch

impl Sample {
    /// The event to judge, or why there is none.
    pub(super) fn observation(&self) -> Result<Observation, String> {
        let Self { event_type, ts_unix_nano, container_id, data, attributes, ancestors, .. } = self;
        observe(event_type, *ts_unix_nano, container_id, data, attributes, ancestors)
    }
}

impl Event {
    /// The event to judge, or why there is none.
    pub(super) fn observation(&self) -> Result<Observation, String> {
        let Self { event_type, ts_unix_nano, container_id, data, attributes, ancestors } = self;
        observe(event_type, *ts_unix_nano, container_id, data, attributes, ancestors)
    }
}

fn observe(
    event_type: &str,
    ts_unix_nano: u64,
    container_id: &str,
    data: &Map,
    attributes: &Map,
    ancestors: &[Ancestor],
) -> Result<Observation, String> {
    let texts = |map: &Map| -> BTreeMap<String, String> {
        map.iter().map(|(key, value)| (key.clone(), value.0.clone())).collect()
    };
    let (data, attributes) = (texts(data), texts(attributes));
    let ts_unix_nano = if ts_unix_nano == 0 { NOW } else { ts_unix_nano };
    let envelope = Envelope { event_type, ts_unix_nano, container_id, data: &data, attributes: &attributes };
    let told = envelope.read().map_err(|error| error.to_string())?;
    if !told.malformed.is_empty() {
        return Err(format!("values of {} make no sense", told.malformed.join(", ")));
    }
    let mut observation = told.observation;
    if !ancestors.is_empty() {
        observation.ancestors = ancestors.iter().map(|ancestor| Arc::new(ancestor.process())).collect();
    }
    Ok(observation)
}

impl Ancestor {
    fn process(&self) -> Process {
        let first = [self.name.as_str()];
        let argv = first.into_iter().chain(self.args.iter().map(String::as_str)).map(Into::into);
        Process {
            key: ProcessKey { tgid: self.pid, start_ns: 0 },
            comm: self.name.as_str().into(),
            exe: self.exe.as_str().into(),
            argv: argv.collect(),
            ..Process::default()
        }
    }
}
