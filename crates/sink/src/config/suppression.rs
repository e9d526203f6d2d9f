//! `dedup` and `rateLimit`: `off`, or numbers.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, value::MapAccessDeserializer},
};

use crate::SinkError;

/// What is held back before the outputs. Off unless configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Suppression {
    /// Of alerts that say the same.
    pub dedup: OrOff<Dedup>,
    /// Of alerts of one rule.
    pub rate_limit: OrOff<RateLimit>,
}

/// Alerts of one rule with the same reason are told once in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Dedup {
    /// Length of the window, seconds, 1 or more; the first alert begins it.
    pub window_seconds: u32,
}

/// A rule raises at most so many alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RateLimit {
    /// Alerts, 1 or more.
    pub alerts: u32,
    /// In so many seconds, 1 or more; the first alert begins them.
    pub per_seconds: u32,
}

impl Suppression {
    /// Looks for what types cannot say.
    ///
    /// # Errors
    /// [`SinkError::Invalid`] with the key.
    pub fn check(&self) -> Result<(), SinkError> {
        let values = [
            ("dedup.windowSeconds", self.dedup.0.map(|dedup| dedup.window_seconds)),
            ("rateLimit.alerts", self.rate_limit.0.map(|limit| limit.alerts)),
            ("rateLimit.perSeconds", self.rate_limit.0.map(|limit| limit.per_seconds)),
        ];
        match values.into_iter().find(|(_, value)| *value == Some(0)) {
            None => Ok(()),
            Some((key, _)) => {
                Err(SinkError::Invalid { key: key.into(), problem: "expected 1 or more, found 0".into() })
            }
        }
    }
}

/// A setting that is `off` unless it has keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrOff<T>(
    /// None is `off`.
    pub Option<T>,
);

impl<T> Default for OrOff<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Serialize> Serialize for OrOff<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(value) => value.serialize(to),
            None => to.serialize_str(OFF),
        }
    }
}

const OFF: &str = "off";

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OrOff<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Either<T> {
            type Value = OrOff<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("off, or a mapping with its keys")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<OrOff<T>, E> {
                let unexpected = || E::invalid_value(de::Unexpected::Str(word), &self);
                if word == OFF { Ok(OrOff(None)) } else { Err(unexpected()) }
            }

            // What YAML 1.1 makes of the word.
            fn visit_bool<E: de::Error>(self, on: bool) -> Result<OrOff<T>, E> {
                let unexpected = || E::invalid_value(de::Unexpected::Bool(on), &self);
                if on { Err(unexpected()) } else { Ok(OrOff(None)) }
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<OrOff<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|value| OrOff(Some(value)))
            }
        }
        from.deserialize_any(Either(PhantomData))
    }
}
