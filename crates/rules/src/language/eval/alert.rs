//! A match and what is told of it.

mod owned;
mod sentinel;

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Witness,
    compile::{Builder, Program, TermId},
    engine::aside,
    json::{self, Members, print},
    machine::Pass,
    time::{self, Form},
    value::{Scalar, Several, Value},
    view::View,
};
use crate::language::{Extra, FieldRef, Part, Rule, Template, Term};

/// A rule matched an event. Rendering allocates; matching does not.
#[derive(Debug, Clone, Copy)]
pub struct Alert<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Whose word on the file or address it fired for.
    pub witness: Witness,
    pub(super) output: &'a Output,
    pub(super) view: View<'a>,
    pub(super) program: &'a Program,
}

/// A rule's template, compiled.
#[derive(Debug)]
pub(super) struct Output {
    parts: Vec<Piece>,
    /// `output_fields`.
    entries: BTreeMap<Arc<str>, Entry>,
}

#[derive(Debug)]
enum Piece {
    Text(Box<str>),
    Value(Option<usize>, TermId),
}

/// An entry of `output_fields`.
#[derive(Debug)]
enum Entry {
    Field(TermId),
    Text(Vec<Piece>),
    Constant(Box<str>),
    /// The time in nanoseconds.
    Time,
}

impl Output {
    pub(super) fn new(rule: &Rule, builder: &mut Builder) -> Self {
        const TIME: &str = "evt.time";
        let parts = pieces(&rule.output, builder);
        let mut entries = BTreeMap::new();
        let mut field = |field: &FieldRef| {
            let term = builder.term(&Term::Field(field.clone()), false);
            entries.insert(field.text.clone(), Entry::Field(term));
        };
        rule.output.fields().into_iter().for_each(&mut field);
        rule.extras.iter().filter_map(Extra::field).for_each(&mut field);
        for extra in &rule.extras {
            match extra {
                Extra::Field(_) => {}
                Extra::Template(name, template) => {
                    entries.insert(name.as_str().into(), Entry::Text(pieces(template, builder)));
                }
                Extra::Constant(name, value) => {
                    entries.insert(name.as_str().into(), Entry::Constant(value.as_str().into()));
                }
            }
        }
        entries.insert(TIME.into(), Entry::Time);
        Self { parts, entries }
    }
}

fn pieces(template: &Template, builder: &mut Builder) -> Vec<Piece> {
    let piece = |part: &Part| match part {
        Part::Text(text) => Piece::Text(text.as_str().into()),
        Part::Value { width, term, .. } => Piece::Value(*width, builder.term(term, false)),
    };
    template.parts.iter().map(piece).collect()
}

/// Appends texts and values.
fn fill<'a>(pieces: &'a [Piece], program: &'a Program, pass: &mut Pass<'a, '_>, out: &mut Vec<u8>) {
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
            Piece::Value(width, term) => {
                let start = out.len();
                let value = program.term(*term, pass);
                show(value, pass, out);
                if let Some(width) = width {
                    out.resize(start + width, b' ');
                }
            }
        }
    }
}

impl<'a> Alert<'a> {
    fn aside<T>(&self, read: impl FnOnce(&'a Program, &mut Pass<'a, '_>) -> T) -> T {
        aside(self.program, self.view, read)
    }

    /// Appends the message: the template with the event's values, as they are. File names in it may hold line
    /// breaks and bytes that are no UTF-8.
    pub fn message(&self, out: &mut Vec<u8>) {
        self.aside(|program, pass| fill(&self.output.parts, program, pass, out));
    }

    /// `time: Priority message`, not escaped.
    fn unescaped(&self, out: &mut Vec<u8>) {
        let head = &self.view.observation.event.head;
        time::write(head.real_ns, self.view.node.utc_offset_s, Form::Clock, true, out);
        print(out, format_args!(": {} ", self.rule.priority.name()));
        self.message(out);
    }

    /// Appends the line `time: Priority message`, without an end of line. Control characters, quotes and
    /// backslashes are escaped as in JSON, so that no file name can forge a line.
    pub fn text(&self, out: &mut Vec<u8>) {
        let mut line = Vec::new();
        self.unescaped(&mut line);
        json::escaped(&line, out);
    }

    /// Appends Falco's JSON object, keys sorted, without an end of line.
    pub fn falco_json(&self, out: &mut Vec<u8>) {
        let mut object = Members::object(out);
        object.text("hostname", &self.view.node.hostname);
        let mut line = Vec::new();
        self.message(&mut line);
        object.text("message", &line);
        line.clear();
        self.unescaped(&mut line);
        object.text("output", &line);
        self.output_fields(object.key("output_fields"));
        object.text("priority", self.rule.priority.name());
        object.text("rule", &self.rule.name);
        object.text("source", &self.rule.source);
        tags(self.rule, object.key("tags"));
        object.text("time", self.instant());
        object.end();
    }

    /// Appends Sentinel's JSON object, without an end of line.
    pub fn sentinel_json(&self, out: &mut Vec<u8>) {
        sentinel::write(self, out);
    }

    /// UTC, nine digits of a second, `Z`.
    fn instant(&self) -> Vec<u8> {
        let mut text = Vec::new();
        time::write(self.view.observation.event.head.real_ns, 0, Form::Iso, true, &mut text);
        text.push(b'Z');
        text
    }

    /// The template's plain fields with their types, the time in nanoseconds, and what configuration adds.
    fn output_fields(&self, out: &mut Vec<u8>) {
        self.aside(|program, pass| {
            let mut object = Members::object(out);
            for (name, entry) in &self.output.entries {
                match entry {
                    Entry::Time => object.number(name, self.view.observation.event.head.real_ns),
                    Entry::Constant(value) => object.text(name, value.as_bytes()),
                    Entry::Text(pieces) => {
                        let mut text = Vec::new();
                        fill(pieces, program, pass, &mut text);
                        object.text(name, text);
                    }
                    Entry::Field(term) => {
                        let value = program.term(*term, pass);
                        typed(value, pass, object.key(name));
                    }
                }
            }
            object.end();
        });
    }
}

fn tags(rule: &Rule, out: &mut Vec<u8>) {
    let mut array = Members::array(out);
    for tag in &rule.tags {
        json::string(tag.as_bytes(), array.next());
    }
    array.end();
}

/// A value in a text.
fn show<'a>(value: Value<'a>, pass: &Pass<'a, '_>, out: &mut Vec<u8>) {
    let Value::Several(how, span) = value else {
        match pass.scratch.scalar(value) {
            Some(scalar) => show_scalar(scalar, out),
            None => out.extend_from_slice(b"<NA>"),
        }
        return;
    };
    let (open, between, close): (&[u8], u8, &[u8]) = match how {
        Several::List => (b"(", b',', b")"),
        Several::Any | Several::Ends => (b"", b' ', b""),
    };
    out.extend_from_slice(open);
    for (at, item) in pass.scratch.items(span).iter().enumerate() {
        if at > 0 {
            out.push(between);
        }
        show_scalar(pass.scratch.item(*item), out);
    }
    out.extend_from_slice(close);
}

fn show_scalar(scalar: Scalar<'_>, out: &mut Vec<u8>) {
    match scalar {
        Scalar::Text(text) => out.extend_from_slice(text),
        Scalar::Signed(number) => print(out, format_args!("{number}")),
        Scalar::Unsigned(number) => print(out, format_args!("{number}")),
        Scalar::Bool(truth) => print(out, format_args!("{truth}")),
        Scalar::Address(ip) => print(out, format_args!("{ip}")),
    }
}

/// A value in JSON.
fn typed<'a>(value: Value<'a>, pass: &Pass<'a, '_>, out: &mut Vec<u8>) {
    match value {
        Value::Missing => out.extend_from_slice(b"null"),
        Value::Signed(_) | Value::Unsigned(_) | Value::Bool(_) => show(value, pass, out),
        Value::Several(Several::List, span) => {
            let mut array = Members::array(out);
            for item in pass.scratch.items(span) {
                let mut text = Vec::new();
                show_scalar(pass.scratch.item(*item), &mut text);
                json::string(&text, array.next());
            }
            array.end();
        }
        _ => {
            let mut text = Vec::new();
            show(value, pass, &mut text);
            json::string(&text, out);
        }
    }
}
