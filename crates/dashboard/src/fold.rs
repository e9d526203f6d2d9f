//! More alerts than a browser can show one by one: counted by kind, with the newest of each kind.
//!
//! A view never falls behind. What it is not told one by one, because that is too much or because the browser does
//! not read, it is told in one message every quarter of a second, however much there was. Counts are exact, and
//! alerts of a kind that is rare among many others still come with one to look at.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

/// Alerts a second that are told one by one: in the long run, and at once.
const EACH: f64 = 1000.0;
const AT_ONCE: f64 = 2000.0;
/// How long alerts are counted before a message tells of them.
const WINDOW: Duration = Duration::from_millis(250);
/// Kinds in a message, and bytes of their alerts.
const KINDS: usize = 200;
const BYTES: usize = 512 << 10;
/// Rules of which a message tells nothing but a number.
const RULES: usize = 500;
/// The least comes first.
const SEVERITIES: [&str; 5] = ["info", "low", "medium", "high", "critical"];

/// What alerts of a kind have in common: the place of their severity in [`SEVERITIES`]; rule, node, pod and its
/// namespace, container's name and id, unit, process.
type Kind = (usize, [String; 8]);

/// The parts of an alert that are looked at. Any may be missing, or of another type.
#[derive(Deserialize)]
struct Parts<'a> {
    #[serde(borrow)]
    rule_id: Raw<'a>,
    severity: Raw<'a>,
    node: Raw<'a>,
    pod: Raw<'a>,
    container: Raw<'a>,
    unit: Raw<'a>,
    event: Raw<'a>,
}

/// The same of its pod, its container and its event.
#[derive(Deserialize, Default)]
struct Inner<'a> {
    #[serde(borrow)]
    id: Raw<'a>,
    name: Raw<'a>,
    namespace: Raw<'a>,
    #[serde(rename = "Comm")]
    comm: Raw<'a>,
}

/// JSON as it stands there.
type Raw<'a> = Option<&'a RawValue>;

/// A text; what is something else counts as absent.
fn text(raw: Raw<'_>) -> Cow<'_, str> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).map(|Text(text)| text).unwrap_or_default()
}

fn inner(raw: Raw<'_>) -> Inner<'_> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

impl Parts<'_> {
    fn kind(&self) -> Kind {
        let word = text(self.severity);
        let severity = SEVERITIES.iter().position(|name| *name == word).unwrap_or(0);
        let (pod, container, event) = (inner(self.pod), inner(self.container), inner(self.event));
        let parts = [
            self.rule_id,
            self.node,
            pod.name,
            pod.namespace,
            container.name,
            container.id,
            self.unit,
            event.comm,
        ];
        (severity, parts.map(|part| text(part).into_owned()))
    }
}

/// Alerts of a kind.
#[derive(Debug)]
struct Group {
    count: u64,
    /// When the newest came, as a number that rises.
    turn: u64,
    newest: Vec<u8>,
}

/// Decides what is told one by one, and counts the rest.
#[derive(Debug)]
pub(crate) struct Fold {
    /// Alerts that may be told one by one now.
    allowed: f64,
    at: Instant,
    /// When the first of those that are counted came.
    since: Option<Instant>,
    turn: u64,
    kinds: HashMap<Kind, Group>,
    /// Bytes of the newest alerts.
    bytes: usize,
    /// By rule and place in [`SEVERITIES`]: those of kinds for which there is no room.
    others: BTreeMap<(String, usize), u64>,
}

impl Fold {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            allowed: AT_ONCE,
            at: now,
            since: None,
            turn: 0,
            kinds: HashMap::new(),
            bytes: 0,
            others: BTreeMap::new(),
        }
    }

    /// Whether the next alert may be told by itself. Not while others are counted that came before it: what a
    /// message's id says to be read must have been told.
    pub(crate) fn admits(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        (self.allowed, self.at) = ((self.allowed + passed * EACH).min(AT_ONCE), now);
        if self.since.is_some() || self.allowed < 1.0 {
            return false;
        }
        self.allowed -= 1.0;
        true
    }

    /// Counts an alert. What is no JSON object is none.
    pub(crate) fn add(&mut self, alert: Vec<u8>, now: Instant) {
        let Ok(parts) = serde_json::from_slice::<Parts<'_>>(&alert) else { return };
        let kind = parts.kind();
        self.since.get_or_insert(now);
        self.turn += 1;
        let grown = self.bytes + alert.len();
        if let Some(group) = self.kinds.get_mut(&kind) {
            (group.count, group.turn) = (group.count + 1, self.turn);
            if grown - group.newest.len() <= BYTES {
                self.bytes = grown - group.newest.len();
                group.newest = alert;
            }
        } else if self.make_room(alert.len(), kind.0) {
            self.bytes += alert.len();
            self.kinds.insert(kind, Group { count: 1, turn: self.turn, newest: alert });
        } else {
            self.count(kind, 1);
        }
    }

    /// Makes room for a kind of this severity at the cost of lesser ones. False: there is none.
    fn make_room(&mut self, bytes: usize, severity: usize) -> bool {
        while self.kinds.len() >= KINDS || self.bytes + bytes > BYTES {
            let least = self.kinds.iter().min_by_key(|(kind, group)| (kind.0, group.turn));
            let Some((kind, _)) = least.filter(|(kind, _)| kind.0 < severity) else { return false };
            let kind = kind.clone();
            let Some(gone) = self.kinds.remove(&kind) else { return false };
            self.bytes -= gone.newest.len();
            self.count(kind, gone.count);
        }
        true
    }

    /// Counts alerts of a kind for which there is no room.
    fn count(&mut self, (severity, [rule, ..]): Kind, count: u64) {
        let known = self.others.len() < RULES || self.others.contains_key(&(rule.clone(), severity));
        let rule = if known { rule } else { String::new() };
        *self.others.entry((rule, severity)).or_default() += count;
    }

    /// When a message is to tell of what was counted; `None` when there is nothing.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + WINDOW)
    }

    /// What was counted, the newest last:
    /// `{"kinds":[{"count":…,"alert":{…}}],"others":[{"rule_id":…,"severity":…,"count":…}]}`.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        (self.since, self.bytes) = (None, 0);
        let mut kinds: Vec<Group> = self.kinds.drain().map(|(_, group)| group).collect();
        kinds.sort_by_key(|group| group.turn);
        let mut text = b"{\"kinds\":[".to_vec();
        for (at, group) in kinds.iter().enumerate() {
            let head = if at == 0 { "{\"count\":" } else { ",{\"count\":" };
            text.extend_from_slice(format!("{head}{},\"alert\":", group.count).as_bytes());
            text.extend_from_slice(&group.newest);
            text.push(b'}');
        }
        let others = std::mem::take(&mut self.others).into_iter().map(|((rule_id, severity), count)| {
            json!({ "rule_id": rule_id, "severity": SEVERITIES.get(severity), "count": count })
        });
        let others = Value::Array(others.collect());
        text.extend_from_slice(format!("],\"others\":{others}}}").as_bytes());
        text
    }
}

#[cfg(test)]
mod tests;
