//! Output templates.

use std::sync::Arc;

use super::{
    ast::{FieldName, Operand},
    check::{self, Problem, Remark},
    condition::{FieldRef, Term},
    diagnostic::Code,
    field::{Field, Usage},
    lexer::Cursor,
    parse::operand_prefix,
    place::Offset,
    print::canonical,
};

/// Longest width that a template may ask for, in bytes.
const WIDTH_MAX: usize = 4096;

/// How many texts and fields a template may have.
const PARTS_MAX: usize = 1000;

/// What an alert says: text with fields in it. A missing field is shown as `<NA>`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    /// Texts and fields in order.
    pub parts: Vec<Part>,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Printed as it is.
    Text(String),
    /// A field or a transformer.
    Value {
        /// Padded with blanks, or cut, to this many bytes.
        width: Option<usize>,
        /// What is shown.
        term: Term,
        /// Its canonical spelling.
        text: Arc<str>,
    },
}

impl Template {
    /// The plain fields in it, each once, in order: what `output_fields` shows beside the time.
    pub fn fields(&self) -> Vec<&FieldRef> {
        let mut fields: Vec<&FieldRef> = Vec::new();
        for part in &self.parts {
            if let Part::Value { term: Term::Field(field), .. } = part
                && !fields.contains(&field)
            {
                fields.push(field);
            }
        }
        fields
    }
}

/// Reads a template.
pub(super) fn parse(text: &str, remarks: &mut Vec<Remark>) -> Result<Template, Problem> {
    let mut template = Template::default();
    // Falco's mark for "print even when a field is missing", which all rules have.
    let mut at = usize::from(text.starts_with('*'));
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let plain = rest.find('%').unwrap_or(rest.len());
        if plain > 0 {
            template.parts.push(Part::Text(rest.get(..plain).unwrap_or_default().to_owned()));
            at += plain;
            continue;
        }
        let percent = at;
        let digits = rest.bytes().skip(1).take_while(u8::is_ascii_digit).count();
        let width = rest.get(1..=digits).filter(|digits| !digits.is_empty());
        at += 1 + digits;
        let behind = text.get(at..).unwrap_or_default();
        if behind.is_empty() {
            return Err(Problem::new(percent, "an output must not end in '%': there is no field behind it"));
        }
        let (term, spelling, len) = token(behind).map_err(|problem| Problem { offset: at, ..problem })?;
        if template.parts.len() >= PARTS_MAX {
            return Err(Problem::new(percent, format!("an output has at most {PARTS_MAX} parts")));
        }
        remark(&term, at, remarks);
        at += len;
        let width = match width.map(str::parse::<usize>) {
            None => None,
            Some(Ok(width)) if width <= WIDTH_MAX => Some(width),
            Some(_) => return Err(Problem::new(percent, format!("the width must be at most {WIDTH_MAX}"))),
        };
        if !matches!(&term, Term::Field(field) if field.id.field().name == "container.info") {
            template.parts.push(Part::Value { width, term, text: spelling.into() });
        }
    }
    Ok(template)
}

/// The longest field or transformer that `text` begins with, its spelling and its length.
fn token(text: &str) -> Result<(Term, String, usize), Problem> {
    let mut cursor = Cursor::new(text.as_bytes());
    let Some(name) = cursor.field_name() else {
        return match operand_prefix(text.as_bytes()) {
            Some((operand @ Operand::Transform(_), len)) => {
                let term = check::operand(&operand)?;
                Ok((term, canonical(&operand), len))
            }
            _ => Err(unknown(text)),
        };
    };
    if let Some((Operand::Field(name), len)) = operand_prefix(text.as_bytes())
        && name.argument.is_some()
        && let Ok(field) = check::field(&name)
    {
        return shown(field, len);
    }
    let mut shorter = name.as_str();
    let mut problem = None;
    loop {
        if Field::find(shorter).is_some() {
            match check::field(&FieldName { name: shorter.to_owned(), argument: None, at: Offset(0) }) {
                Ok(field) => return shown(field, shorter.len()),
                Err(error) => problem = problem.or(Some(error)),
            }
        }
        match shorter.rfind('.') {
            Some(dot) => shorter = shorter.get(..dot).unwrap_or_default(),
            None => return Err(problem.unwrap_or_else(|| unknown(&name))),
        }
    }
}

fn shown(field: FieldRef, len: usize) -> Result<(Term, String, usize), Problem> {
    if field.id.field().usage == Usage::FilterOnly {
        return Err(Problem::new(0, format!("field '{}' is for conditions only", field.text)));
    }
    let text = field.text.to_string();
    Ok((Term::Field(field), text, len))
}

fn unknown(text: &str) -> Problem {
    const SHOWN: usize = 60; // characters of the template in a message
    let name: String = text.chars().take(SHOWN).take_while(|letter| !letter.is_whitespace()).collect();
    let hint = super::suggest::hint(Field::nearest(&name));
    Problem { unknown: true, ..Problem::new(0, format!("unknown filter: {name}{hint}")) }
}

fn remark(term: &Term, offset: usize, remarks: &mut Vec<Remark>) {
    if let Term::Field(field) = term
        && let Some(why) = field.id.field().deprecated
    {
        let message = format!("field '{}' is deprecated: {why}", field.text);
        remarks.push(Remark { code: Code::DeprecatedItem, offset, message });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(text: &str) -> Result<Vec<String>, (usize, String)> {
        let template = parse(text, &mut Vec::new()).map_err(|problem| (problem.offset, problem.message))?;
        let show = |part: &Part| match part {
            Part::Text(text) => format!("{text:?}"),
            Part::Value { width: Some(width), text, .. } => format!("{text} in {width}"),
            Part::Value { text, .. } => text.to_string(),
        };
        Ok(template.parts.iter().map(show).collect())
    }

    #[test]
    fn the_longest_known_field_is_taken() {
        assert_eq!(shape("*a=%proc.name:b").unwrap(), [r#""a=""#, "proc.name", r#"":b""#]);
        assert_eq!(shape("(%user.name)").unwrap(), [r#""(""#, "user.name", r#"")""#]);
        assert_eq!(shape("%proc.aname[2].").unwrap(), ["proc.aname[2]", r#"".""#]);
        assert_eq!(shape("%proc.name.txt").unwrap(), ["proc.name", r#"".txt""#]);
        assert_eq!(shape("%proc.name[%proc.pid]").unwrap(), ["proc.name", r#""[""#, "proc.pid", r#""]""#]);
        assert_eq!(
            shape("%10proc.name %5tolower(proc.exe)").unwrap(),
            ["proc.name in 10", r#"" ""#, "tolower(proc.exe) in 5"]
        );
        assert_eq!(shape("%evt.arg.flags|%evt.arg[1]").unwrap(), ["evt.arg.flags", r#""|""#, "evt.arg[1]"]);
        assert_eq!(shape("%container.info!").unwrap(), [r#""!""#]);
        assert!(shape("").unwrap().is_empty());
    }

    #[test]
    fn wrong_templates_say_where() {
        for (text, offset, message) in [
            ("a %", 2, "must not end in '%'"),
            ("a %12", 2, "must not end in '%'"),
            ("a % b", 3, "unknown filter"),
            ("a %%proc.name", 3, "unknown filter"),
            ("%proc.nmae x", 1, "did you mean 'proc.name'?"),
            ("%fd.net", 1, "conditions only"),
            ("%99999proc.name", 0, "width"),
            ("%tolower(proc.nope)", 1, "nonexistent"),
            ("%container.mount.dest", 1, "needs an argument"),
        ] {
            let (at, found) = shape(text).unwrap_err();
            assert_eq!(at, offset, "{text}: {found}");
            assert!(found.contains(message), "{text}: {found}");
        }
    }
}
