//! The canonical form of a condition: Falco's, to the byte, because other programs compare it.
//!
//! Some texts do not survive it, see [`Canonical`].

use bstr::ByteSlice;
use sentinel_event::Text;

use super::ast::{Check, Expr, FieldName, Operand, Right, Transform, TransformArgument, Value};

/// Something that has a canonical form. Reading that form gives the same thing back, except for constants
/// that are empty, hold one of `( ) ,` or end in a backslash, arguments with `[` or `]`, and two negations.
pub(super) trait Canonical {
    /// Appends the canonical form.
    fn print(&self, out: &mut String);
}

impl Expr {
    /// The canonical form: one text for all spellings of a condition.
    pub fn canonical(&self) -> String {
        canonical(self)
    }
}

/// The canonical form as a text of its own.
pub(super) fn canonical(item: &impl Canonical) -> String {
    let mut out = String::new();
    item.print(&mut out);
    out
}

/// `(a word b word c)`.
pub(super) fn print_chain(parts: &[impl Canonical], word: &str, out: &mut String) {
    out.push('(');
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.push_str(word);
        }
        part.print(out);
    }
    out.push(')');
}

impl Canonical for Expr {
    fn print(&self, out: &mut String) {
        match self {
            Self::And(parts) => print_chain(parts, " and ", out),
            Self::Or(parts) => print_chain(parts, " or ", out),
            Self::Not(part) => {
                out.push_str("not ");
                part.print(out);
            }
            Self::Macro(name, _) => out.push_str(name),
            Self::Check(check) => check.print(out),
        }
    }
}

impl Canonical for Check {
    fn print(&self, out: &mut String) {
        self.left.print(out);
        out.push(' ');
        out.push_str(self.operator.word());
        self.right.print(out);
    }
}

impl Canonical for Right {
    fn print(&self, out: &mut String) {
        if matches!(self, Self::Nothing) {
            return;
        }
        out.push(' ');
        if let Self::List(Some(modifier), _) | Self::Word(Some(modifier), _) = self {
            out.push_str(modifier.word());
            out.push(' ');
        }
        match self {
            Self::Nothing => {}
            Self::Value(value) | Self::Word(_, value) => value.print(out),
            Self::List(_, values) => print_chain(values, ", ", out),
            Self::Field(field) => {
                out.push_str("val(");
                field.print(out);
                out.push(')');
            }
            Self::Transform(transform) => transform.print(out),
        }
    }
}

impl Canonical for Value {
    fn print(&self, out: &mut String) {
        print_text(&self.text, out);
    }
}

impl Canonical for Operand {
    fn print(&self, out: &mut String) {
        match self {
            Self::Field(field) => field.print(out),
            Self::Transform(transform) => transform.print(out),
        }
    }
}

impl Canonical for FieldName {
    fn print(&self, out: &mut String) {
        out.push_str(&self.name);
        print_index(self.argument.as_ref(), out);
    }
}

impl Canonical for Transform {
    fn print(&self, out: &mut String) {
        out.push_str(self.transformer.word());
        print_chain(&self.arguments, ",", out);
        print_index(self.index.as_ref(), out);
    }
}

impl Canonical for TransformArgument {
    fn print(&self, out: &mut String) {
        match self {
            Self::Number(number) => out.push_str(number),
            Self::Text(text) => quote(text, out),
            Self::List(arguments) => print_chain(arguments, ",", out),
            Self::Operand(operand) => operand.print(out),
        }
    }
}

fn print_index(index: Option<&Text>, out: &mut String) {
    let Some(index) = index else { return };
    out.push('[');
    if index.is_empty() {
        out.push_str("\"\"");
    } else {
        print_text(index, out);
    }
    out.push(']');
}

/// A text, in quotes only when it holds something that is only written there.
fn print_text(text: &[u8], out: &mut String) {
    let special =
        |byte: &u8| matches!(byte, b' ' | b'=' | b'\\' | b'"' | b'\'' | 0 | 0x08..=0x0a | 0x0c | 0x0d);
    match text.to_str() {
        Ok(text) if !text.bytes().any(|byte| special(&byte)) => out.push_str(text),
        _ => quote(text, out),
    }
}

/// `text` in quotes and escaped so that it reads back, which the canonical form does not care for.
pub(super) fn quoted(text: &[u8]) -> String {
    let mut out = String::new();
    quote(text, &mut out);
    // A quote behind a backslash does not end a string, not even when that backslash is an escaped one.
    if text.last() == Some(&b'\\') {
        out.truncate(out.len().saturating_sub("\\\\\"".len()));
        out.push_str("\\x5c\"");
    }
    out
}

/// Bytes that are no UTF-8 are escaped: the form is text.
fn quote(text: &[u8], out: &mut String) {
    out.push('"');
    for chunk in text.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\0' => out.push_str("\\x00"),
                '\\' => out.push_str("\\\\"),
                '"' => out.push_str("\\\""),
                other => out.push(other),
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out.push('"');
}
