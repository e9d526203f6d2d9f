//! A condition whose names have been looked up and whose constants have their types.

use std::{net::IpAddr, sync::Arc};

use sentinel_event::Text;

use super::{
    ast::{Check, Modifier, Operator, Transformer},
    field::{ArgumentRule, Field, FieldId},
    print::{Canonical, print_chain},
    types::Type,
};

/// A checked condition, with its macros in place. Macros share their tests.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// True when all parts are.
    And(Vec<Condition>),
    /// True when one part is.
    Or(Vec<Condition>),
    /// True when the part is not.
    Not(Box<Condition>),
    /// A comparison.
    Test(Arc<Test>),
}

impl Condition {
    /// The canonical form, with lists and macros in place.
    pub fn canonical(&self) -> String {
        super::print::canonical(self)
    }

    /// How many nodes it has.
    pub fn size(&self) -> usize {
        match self {
            Self::And(parts) | Self::Or(parts) => 1 + parts.iter().map(Self::size).sum::<usize>(),
            Self::Not(part) => 1 + part.size(),
            Self::Test(_) => 1,
        }
    }

    /// How deep its parts nest.
    pub fn depth(&self) -> usize {
        match self {
            Self::And(parts) | Self::Or(parts) => 1 + parts.iter().map(Self::depth).max().unwrap_or(0),
            Self::Not(part) => 1 + part.depth(),
            Self::Test(_) => 1,
        }
    }

    /// Every comparison, from left to right.
    pub fn tests<'a>(&'a self, visit: &mut impl FnMut(&'a Arc<Test>)) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.tests(visit)),
            Self::Not(part) => part.tests(visit),
            Self::Test(test) => visit(test),
        }
    }

    /// The negation. Two of them stay two, as in the canonical form of Falco.
    #[must_use]
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }
}

impl Canonical for Condition {
    fn print(&self, out: &mut String) {
        match self {
            Self::And(parts) => print_chain(parts, " and ", out),
            Self::Or(parts) => print_chain(parts, " or ", out),
            Self::Not(part) => {
                out.push_str("not ");
                part.print(out);
            }
            Self::Test(test) => test.source.print(out),
        }
    }
}

/// A checked comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// As written, with lists in place.
    pub source: Check,
    /// What is compared.
    pub left: Term,
    /// How; `==` has become `=`.
    pub operator: Operator,
    /// With what.
    pub right: Comparand,
}

/// Something computed from an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Term {
    /// A field.
    Field(FieldRef),
    /// A transformer and its arguments.
    Call(Box<Call>),
    /// A constant.
    Text(Text),
    /// Several things as one list.
    List(Vec<Term>),
}

impl Term {
    /// The type of its value and whether there can be several.
    pub fn ty(&self) -> (Type, bool) {
        match self {
            Self::Field(field) => field.ty(),
            Self::Call(call) => (call.ty, call.list),
            Self::Text(_) => (Type::Text, false),
            Self::List(_) => (Type::Text, true),
        }
    }
}

/// A field with its argument.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldRef {
    /// Which.
    pub id: FieldId,
    /// What stood in brackets or behind a dot.
    pub argument: Argument,
    /// The canonical spelling: a key of `output_fields`.
    pub text: Arc<str>,
}

/// The argument of a field.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Argument {
    /// None.
    None,
    /// A number.
    Index(u64),
    /// A name, a key or a pattern.
    Key(Text),
}

impl FieldRef {
    /// The type of its value and whether there can be several.
    pub fn ty(&self) -> (Type, bool) {
        let field: &Field = self.id.field();
        match (field.name, &self.argument) {
            ("evt.rawarg", Argument::Key(name)) => (raw_parameter(name), false),
            _ => (
                field.ty,
                field.list && !(field.argument == ArgumentRule::OptionalIndex && self.has_argument()),
            ),
        }
    }

    /// Whether it has an argument.
    pub fn has_argument(&self) -> bool {
        self.argument != Argument::None
    }
}

/// The type of a parameter that has not been made readable.
fn raw_parameter(name: &[u8]) -> Type {
    match name {
        b"data" => Type::Bytes,
        b"name" | b"path" | b"filename" | b"oldpath" | b"newpath" | b"target" | b"linkpath" | b"pathname" => {
            Type::Text
        }
        b"exe" | b"args" | b"comm" | b"cgroups" | b"env" | b"cwd" | b"trusted_exepath" | b"tuple" => {
            Type::Text
        }
        b"type" | b"dir" | b"special" | b"uargs" | b"arg2_str" | b"key" | b"value_charbuf" => Type::Text,
        _ => Type::I64,
    }
}

/// A transformer and its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Call {
    /// Which.
    pub transformer: Transformer,
    /// Its arguments, as many as it takes, of the types it takes.
    pub arguments: Vec<Term>,
    /// The letter in brackets behind `getopt`.
    pub option: Option<u8>,
    /// Type of the result.
    pub ty: Type,
    /// Whether the result can be several values.
    pub list: bool,
}

/// The right side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Comparand {
    /// Nothing: the operator is `exists`.
    Nothing,
    /// One constant.
    One(Literal),
    /// A list of constants.
    Many(Option<Modifier>, Vec<Literal>),
    /// Something computed from the same event, of the same type as the left side.
    Term(Term),
}

/// A constant with its type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Literal {
    /// A text, a path or a pattern.
    Text(Text),
    /// Raw data; of `bcontains` and `bstartswith` already decoded.
    Bytes(Vec<u8>),
    /// A signed number.
    Signed(i64),
    /// An unsigned number, a port or nanoseconds.
    Unsigned(u64),
    /// True or false.
    Bool(bool),
    /// An address.
    Address(IpAddr),
    /// A network: an address and how many of its bits count.
    Network(IpAddr, u8),
}
