//! Which events of a feed or log are wanted: a condition in the rule language, and a time.

use sentinel_event::Kind;
use sentinel_rules::{
    builtin,
    language::{
        RuleSet,
        envelope::Envelope,
        eval::{Engine, Memory, Selection},
        parse_condition,
    },
};
use sentinel_wire::v1::EventEnvelope;

/// What the condition's rule is called. No shipped rule has the name.
const NAME: &str = "the condition on the command line";

/// What the user typed makes no sense: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// A condition as an option.
#[derive(Debug, clap::Args)]
pub(crate) struct Only {
    /// Only events for which this condition of the rule language holds; macros and lists of the shipped rules may
    /// be used. What was lost is always told.
    #[arg(long, value_name = "CONDITION")]
    pub(crate) filter: Option<String>,
}

/// A time as options.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Span {
    /// Only events from this time on, milliseconds since the Unix epoch.
    #[arg(long, value_name = "MS")]
    start_ms: Option<u64>,
    /// Only events up to this time, milliseconds since the Unix epoch.
    #[arg(long, value_name = "MS")]
    end_ms: Option<u64>,
}

impl Span {
    /// Whether events of every time are wanted.
    pub(crate) fn is_all(&self) -> bool {
        self.start_ms.is_none() && self.end_ms.is_none()
    }

    /// Whether an event of this time is wanted, nanoseconds since the Unix epoch.
    pub(crate) fn holds(&self, time_ns: u64) -> bool {
        let ns = |ms: u64| ms.saturating_mul(1_000_000);
        self.start_ms.is_none_or(|from| ns(from) <= time_ns) && self.end_ms.is_none_or(|to| time_ns <= ns(to))
    }
}

impl Only {
    /// The condition, ready to be asked; none: everything is wanted.
    pub(crate) fn filter(&self) -> Result<Option<Filter>, Usage> {
        self.filter.as_deref().map(Filter::new).transpose()
    }
}

/// A condition.
#[derive(Debug)]
pub(crate) struct Filter {
    engine: Engine,
    memory: Memory,
}

impl Filter {
    pub(crate) fn new(condition: &str) -> Result<Self, Usage> {
        if let Err(error) = parse_condition(condition.as_bytes()) {
            return Err(Usage(format!(
                "--filter: line {}, column {}: {}",
                error.line, error.column, error.message
            )));
        }
        // JSON is YAML, and quotes whatever the condition holds.
        let rule = serde_json::json!([{
            "rule": NAME, "desc": NAME, "condition": condition, "output": NAME, "priority": "DEBUG",
        }])
        .to_string();
        let mut files = builtin::FILES.to_vec();
        files.push(("--filter", &rule));
        let (report, set) = RuleSet::load(&files);
        let Some(mut set) = set else {
            let why = report.errors.first().map_or("it is refused", |error| error.message.as_str());
            return Err(Usage(format!("--filter: {why}; `sentinel rules fields` lists what can be asked")));
        };
        set.rules.retain(|rule| rule.name == NAME);
        Ok(Self { engine: Engine::new(set, &Selection::default()), memory: Memory::default() })
    }

    /// Whether the condition holds for the event; for what was lost it may have held. Of a kind that nobody knows,
    /// nothing is known to hold.
    pub(crate) fn holds(&mut self, event: &EventEnvelope) -> bool {
        if event.event_type == Kind::Loss.name() {
            return true;
        }
        let envelope = Envelope {
            event_type: &event.event_type,
            ts_unix_nano: event.ts_unix_nano,
            container_id: &event.container_id,
            data: &event.data,
            attributes: &event.attributes,
        };
        let Ok(told) = envelope.read() else { return false };
        let mut holds = false;
        self.engine.evaluate(&told.observation, &mut self.memory, &mut |_| holds = true);
        holds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(event_type: &str, data: &[(&str, &str)]) -> EventEnvelope {
        let data = data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        EventEnvelope { event_type: event_type.into(), data, ..EventEnvelope::default() }
    }

    fn holds(condition: &str, event: &EventEnvelope) -> bool {
        Filter::new(condition).unwrap().holds(event)
    }

    #[test]
    fn a_condition_is_asked_of_what_the_event_says() {
        let write = event("file_write", &[("filename", "/etc/hosts"), ("comm", "tee"), ("pid", "7")]);
        assert!(holds("fd.name startswith /etc", &write));
        assert!(holds("proc.name = tee and proc.pid = 7", &write));
        assert!(!holds("fd.name startswith /tmp", &write));
        assert!(!holds("proc.cmdline = \"tee /etc/hosts\"", &write));
        assert!(!holds("evt.num > 0", &event("of_tomorrow", &[])));
        assert!(holds("fd.name startswith /tmp", &event("loss", &[("count", "5")])));
    }

    #[test]
    fn macros_of_the_shipped_rules_may_be_used() {
        let name = builtin::FILES.iter().find_map(|(_, text)| {
            let line = text.lines().find(|line| line.starts_with("- macro: "))?;
            line.strip_prefix("- macro: ")
        });
        assert!(Filter::new(name.unwrap()).is_ok());
    }

    #[test]
    fn what_is_wrong_with_a_condition_is_told() {
        for (condition, told) in [
            ("fd.name =", "--filter: line 1, column 10: "),
            ("", "--filter: line 1, column 1: "),
            ("fd.nam = x", "fd.nam"),
            ("no_such_macro", "no_such_macro"),
        ] {
            let error = Filter::new(condition).unwrap_err().to_string();
            assert!(error.contains(told), "{condition}: {error}");
        }
    }

    #[test]
    fn a_span_holds_both_ends() {
        let span = |start_ms, end_ms| Span { start_ms, end_ms };
        let times = [4_999_999, 5_000_000, 7_000_000, 7_000_001];
        let held = |span: Span| times.map(|time| span.holds(time));
        assert_eq!(held(span(Some(5), Some(7))), [false, true, true, false]);
        assert_eq!(held(span(None, Some(7))), [true, true, true, false]);
        assert_eq!(held(span(Some(u64::MAX), None)), [false; 4]);
        assert!(span(None, None).is_all() && !span(Some(0), None).is_all());
    }
}
