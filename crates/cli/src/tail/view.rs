//! What is shown, and how.

use std::{
    collections::VecDeque,
    io::{self, IsTerminal as _, Stdout, Write as _},
};

use chrono::Local;
use sentinel_rules::language::envelope::Envelope;
use sentinel_wire::{read_object, v1::EventEnvelope};
use serde_json::Value;

use super::{Format, Tail};
use crate::{
    choice::{Filter, Usage},
    live::{Live, Look, visible},
};

mod alert;

/// Nobody reads the output any more.
#[derive(Debug, thiserror::Error)]
#[error("the output is closed")]
pub(super) struct Gone;

/// Shows what is wanted; first the last ones of those that are there.
pub(super) struct View {
    filter: Option<Filter>,
    /// The last objects that were there at the start; none once they are shown.
    held: Option<VecDeque<Vec<u8>>>,
    lines: usize,
    look: How,
}

enum How {
    Json(io::BufWriter<Stdout>),
    Text(Box<Live<Stdout, Local>>),
}

impl View {
    pub(super) fn new(args: &Tail) -> Result<Self, Usage> {
        let terminal = io::stdout().is_terminal();
        let text = args.format == Format::Text || args.format == Format::Auto && terminal;
        let look = if text {
            let look = Look { color: args.color.wanted(terminal), fold: false, zone: Local };
            How::Text(Box::new(Live::new(io::stdout(), look)))
        } else {
            How::Json(io::BufWriter::with_capacity(64 << 10, io::stdout()))
        };
        let held = (!args.from_start).then(VecDeque::new);
        Ok(Self { filter: args.only.filter()?, held, lines: args.lines, look })
    }

    /// An event or an alert, as a JSON object. Others are passed over: they are nothing of ours.
    pub(super) fn object(&mut self, json: &[u8]) -> Result<(), Gone> {
        if let Some(filter) = &mut self.filter {
            let wanted = match alert_of(json) {
                Some(alert) => filter.holds(&alert::told(&alert)),
                None => read_object(json).is_ok_and(|event| filter.holds(&event)),
            };
            if !wanted {
                return Ok(());
            }
        }
        let Some(held) = &mut self.held else { return self.show(json) };
        if held.len() >= self.lines {
            held.pop_front();
        }
        if self.lines > 0 {
            held.push_back(json.to_owned());
        }
        Ok(())
    }

    /// Everything that was there at the start has come: what is held back is shown, and what comes at once.
    pub(super) fn release(&mut self) -> Result<(), Gone> {
        for json in self.held.take().unwrap_or_default() {
            self.show(&json)?;
        }
        match &mut self.look {
            How::Json(out) => out.flush().map_err(|_| Gone),
            How::Text(_) => Ok(()),
        }
    }

    fn show(&mut self, json: &[u8]) -> Result<(), Gone> {
        let live = match &mut self.look {
            How::Json(out) => {
                // Another writer may have broken it into several lines.
                let written = if json.contains(&b'\n') {
                    let value: Result<Value, _> = serde_json::from_slice(json);
                    value.map_or(Ok(()), |value| writeln!(out, "{value}"))
                } else {
                    out.write_all(json).and_then(|()| out.write_all(b"\n"))
                };
                return written.map_err(|_| Gone);
            }
            How::Text(live) => live,
        };
        let shown = match alert_of(json) {
            Some(alert) => live.alert(&alert::shown(&alert)),
            None => match read_object(json) {
                Ok(event) => draw(live, &event),
                Err(_) => Ok(()),
            },
        };
        shown.map_err(|_| Gone)
    }
}

fn draw(live: &mut Live<Stdout, Local>, event: &EventEnvelope) -> io::Result<()> {
    let envelope = Envelope {
        event_type: &event.event_type,
        ts_unix_nano: event.ts_unix_nano,
        container_id: &event.container_id,
        data: &event.data,
        attributes: &event.attributes,
    };
    match envelope.read() {
        Ok(told) => live.draw(&[told.observation], event.ts_unix_nano, width()),
        // Of a newer agent, or of another program.
        Err(unknown) => writeln!(io::stdout(), "{}", visible(unknown.to_string().as_bytes())),
    }
}

/// The alert that a JSON object is, if it is one.
fn alert_of(json: &[u8]) -> Option<Value> {
    // Most objects are events, and have no such key.
    memchr::memmem::find(json, b"\"rule_id\"")?;
    let value: Value = serde_json::from_slice(json).ok()?;
    value.get("rule_id").is_some().then_some(value)
}

/// Columns of the terminal at standard output; none when it is not one.
fn width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(columns, _)| columns.0.into())
}
