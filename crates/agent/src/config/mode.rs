//! Values that are one of a few words.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

/// Where forwarded events go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamMode {
    /// To a detector.
    Grpc,
    /// To a NATS server, where detectors fetch them.
    Nats,
    /// To standard output.
    Stdout,
    /// To a log of EVT1 records.
    File,
}

/// Whether the API server of Kubernetes is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kubernetes {
    /// When we run in a cluster.
    Auto,
    /// Yes.
    On,
    /// No.
    Off,
}

/// A number of seconds, or `never`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncSeconds(
    /// None is `never`.
    pub Option<u32>,
);

const NEVER: &str = "never";

impl Serialize for SyncSeconds {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(seconds) => serializer.serialize_u32(seconds),
            None => serializer.serialize_str(NEVER),
        }
    }
}

impl<'de> Deserialize<'de> for SyncSeconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seconds;
        impl de::Visitor<'_> for Seconds {
            type Value = SyncSeconds;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of seconds, or never")
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<SyncSeconds, E> {
                let known = u32::try_from(seconds).map(|seconds| SyncSeconds(Some(seconds)));
                known.map_err(|_| E::invalid_value(de::Unexpected::Unsigned(seconds), &self))
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<SyncSeconds, E> {
                if word == NEVER {
                    Ok(SyncSeconds(None))
                } else {
                    Err(E::invalid_value(de::Unexpected::Str(word), &self))
                }
            }
        }
        deserializer.deserialize_any(Seconds)
    }
}

/// One mode, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamModes(pub Vec<StreamMode>);

impl Default for StreamModes {
    fn default() -> Self {
        Self(vec![StreamMode::Stdout])
    }
}

impl Serialize for StreamModes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(serializer),
            many => many.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for StreamModes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Modes;
        impl<'de> de::Visitor<'de> for Modes {
            type Value = StreamModes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mode (stdout) or a list of modes")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<StreamModes, E> {
                let mode = StreamMode::deserialize(de::value::StrDeserializer::new(text))?;
                Ok(StreamModes(vec![mode]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<StreamModes, A::Error> {
                let mut modes = Vec::new();
                while let Some(mode) = list.next_element()? {
                    modes.push(mode);
                }
                Ok(StreamModes(modes))
            }
        }
        deserializer.deserialize_any(Modes)
    }
}
