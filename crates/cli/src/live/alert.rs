//! Alerts in the live view: two lines, so that they stand out among the events.

use std::io::{self, Write};

use bstr::ByteSlice as _;
use chrono::TimeZone;
use sentinel_event::{Alert, Severity};

use super::{
    CONTAINER_DIGITS, KIND_WIDTH, Live,
    line::{Line, Style},
    object,
    visible::visible,
};

/// Columns before the second line, below the severity.
const INDENT: usize = 13;

impl<W: Write, Z: TimeZone> Live<W, Z>
where
    Z::Offset: std::fmt::Display,
{
    /// Draws an alert: who, which rule and how bad; below it, in full, what happened.
    pub(crate) fn alert(&mut self, alert: &Alert) -> io::Result<()> {
        self.totals.alert(alert.severity);
        let style = style(alert.severity);
        let field = |name: &str| {
            alert.fields.iter().find(|(known, _)| *known == name).map(|(_, text)| text.as_bstr())
        };
        let pid = |name| field(name).and_then(|pid| pid.to_str().ok()?.parse().ok()).unwrap_or_default();
        let process = object::process(field("COMM").unwrap_or_default(), pid("PID"));
        let parent = field("PARENT").map(|parent| format!("← {}", object::process(parent, pid("PPID"))));
        let container = field("CONTAINER_ID").map(|id| visible(id).chars().take(CONTAINER_DIGITS).collect());
        let severity = format!("! {}", alert.severity.name().to_uppercase());
        let headline = Line {
            before: vec![
                (Style::Dim, self.time(alert.time_ns)),
                (style, format!("{severity:KIND_WIDTH$}")),
                (Style::Bold, process),
                (Style::Dim, parent.unwrap_or_default()),
                (style, visible(alert.rule.as_bytes())),
                (Style::Dim, format!("risk {}", alert.risk_score)),
                (Style::Dim, container.unwrap_or_default()),
            ],
            ..Line::default()
        };
        // The terminal wraps what is too long: an alert is not cut.
        headline.render(None, self.look.color, &mut self.text);
        let reason = Line {
            before: vec![(Style::Plain, format!("{:INDENT$}{}", "", visible(&alert.reason)))],
            ..Line::default()
        };
        reason.render(None, self.look.color, &mut self.text);
        self.flush()
    }
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => Style::Alarm,
        Severity::Medium => Style::Bad,
        Severity::Low => Style::Warn,
        Severity::Info => Style::Bold,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::FixedOffset;
    use sentinel_event::Priority;

    use super::{super::Look, *};

    /// 2026-01-02 03:04:05.678 UTC.
    const NOW_NS: u64 = 1_767_323_045_678_000_000;

    fn alert(severity: Severity, comm: &str, reason: &[u8]) -> Alert {
        Alert {
            id: String::new(),
            time_ns: NOW_NS,
            rule_id: Arc::from("r"),
            rule: Arc::from("A rule"),
            priority: Priority::Warning,
            severity,
            risk_score: 55,
            reason: reason.into(),
            fields: vec![
                ("PID", "20".into()),
                ("PPID", "10".into()),
                ("COMM", comm.into()),
                ("PARENT", "bash".into()),
                ("CONTAINER_ID", "0123456789abcdef0123".into()),
            ],
            sentinel_json: Vec::new(),
            falco_json: Vec::new(),
            text: Vec::new(),
        }
    }

    fn drawn(color: bool, alerts: &[Alert]) -> String {
        let look = Look { color, fold: true, zone: FixedOffset::east_opt(0).unwrap() };
        let mut live = Live::new(Vec::new(), look);
        for alert in alerts {
            live.alert(alert).unwrap();
        }
        live.finish(std::time::Duration::from_secs(1), None).unwrap();
        String::from_utf8(live.out).unwrap()
    }

    #[test]
    fn an_alert_is_two_lines_and_counted() {
        let alerts = [alert(Severity::High, "cat", b"read /etc/shadow"), alert(Severity::Low, "id", b"ran")];
        assert_eq!(
            drawn(false, &alerts),
            "03:04:05.678 ! HIGH        cat[20] \u{2190} bash[10] A rule risk 55 0123456789ab\n             \
             read /etc/shadow\n\
             03:04:05.678 ! LOW         id[20] \u{2190} bash[10] A rule risk 55 0123456789ab\n             ran\n\
             1.0 s: 0 events, 2 alerts (high 1, low 1), 0 lost\n"
        );
    }

    #[test]
    fn severity_has_its_colour_where_colours_are_wanted() {
        for (severity, sgr) in [
            (Severity::Critical, "1;37;41"),
            (Severity::High, "1;37;41"),
            (Severity::Medium, "31"),
            (Severity::Low, "33"),
            (Severity::Info, "1"),
        ] {
            let shown = drawn(true, &[alert(severity, "cat", b"r")]);
            assert!(shown.contains(&format!("\x1b[{sgr}m! {}", severity.name().to_uppercase())), "{shown:?}");
        }
    }

    #[test]
    fn no_name_forges_a_line() {
        let shown = drawn(false, &[alert(Severity::High, "a\nb\x1b[2J", b"x\n03:04 ! HIGH\x1b[1A\xff")]);
        assert_eq!(shown.lines().count(), 3, "{shown}");
        assert!(!shown.chars().any(|char| char.is_control() && char != '\n'), "{shown:?}");
    }
}
