//! An alert that outlives its event.

use std::sync::Arc;

use bstr::BString;
use sentinel_event::Text;

use super::{
    super::{json::print, view::View},
    Alert,
    sentinel::{filename, remote},
};

impl Alert<'_> {
    /// The alert in every form that outputs know, for good. `id` is its identity across outputs, detectors and
    /// restarts: a UUID.
    ///
    /// Its `fields` are, in this order and where the event has them: `PID`, `TID`, `PPID`, `UID`, `GID`, `EUID`
    /// (as the host's initial namespaces count), `COMM` (of the thread), `EXE` (of the process), `PARENT` (name
    /// of the parent), `FILENAME`, `CONTAINER_ID` (in full), `EVENT_TYPE`, `SYSCALL`, `RESULT` (a result, or a
    /// negated errno), `DST_IP`, `DST_PORT` (in host order).
    pub fn owned(&self, id: String) -> sentinel_event::Alert {
        let rule = self.rule;
        let render = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            write(&mut out);
            out
        };
        sentinel_event::Alert {
            id,
            time_ns: self.view.observation.event.head.real_ns,
            rule_id: Arc::from(rule.id.as_str()),
            rule: Arc::from(rule.name.as_str()),
            priority: rule.priority,
            severity: rule.severity,
            risk_score: rule.risk_score,
            reason: render(&|out| self.message(out)).into(),
            fields: fields(&self.view),
            sentinel_json: render(&|out| self.sentinel_json(out)),
            falco_json: render(&|out| self.falco_json(out)),
            text: render(&|out| self.text(out)),
        }
    }
}

fn fields(view: &View<'_>) -> Vec<(&'static str, Text)> {
    let observation = view.observation;
    let head = &observation.event.head;
    let mut fields: Vec<(&'static str, Text)> = Vec::new();
    let mut add = |name, text: &[u8]| {
        if !text.is_empty() {
            fields.push((name, BString::from(text)));
        }
    };
    let numbers = [
        ("PID", head.process.tgid),
        ("TID", head.tid),
        ("PPID", head.parent.tgid),
        ("UID", head.uid),
        ("GID", head.gid),
        ("EUID", head.euid),
    ];
    for (name, number) in numbers {
        add(name, number.to_string().as_bytes());
    }
    add("COMM", head.comm.as_bstr());
    add("EXE", view.process().map(|process| process.exe.as_slice()).unwrap_or_default());
    add("PARENT", view.ancestor(1).map(|parent| parent.comm.as_slice()).unwrap_or_default());
    add("FILENAME", filename(view).unwrap_or_default());
    add("CONTAINER_ID", observation.container_id.as_deref().unwrap_or_default().as_bytes());
    add("EVENT_TYPE", observation.event.kind().name().as_bytes());
    add("SYSCALL", view.call.name.as_bytes());
    add("RESULT", head.result.to_string().as_bytes());
    if let Some((end, _)) = remote(view) {
        let mut ip = Vec::new();
        if let Some(known) = end.ip {
            print(&mut ip, format_args!("{known}"));
        }
        add("DST_IP", &ip);
        add("DST_PORT", end.port.to_string().as_bytes());
    }
    fields
}
