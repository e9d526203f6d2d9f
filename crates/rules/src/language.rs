//! The Falco rule language: rule files in, checked rules out.
//!
//! Text goes through these passes, each a module: [`RuleSet::load`] reads YAML with the place of every node,
//! turns nodes into items, merges items of one name, puts lists and macros in place, looks names up, checks
//! types, and finds the events each rule can match. The result holds no text that still has to be understood:
//! fields are numbers into one table, constants have their types.
//!
//! Where this is not Falco's behaviour, `docs/rules-deviations.md` says so.

mod additions;
mod ast;
mod check;
mod compile;
mod condition;
mod diagnostic;
pub mod envelope;
pub mod eval;
mod evtnames;
mod evttypes;
mod exception;
mod expand;
mod field;
mod item;
mod journal;
mod lexer;
mod literal;
mod merge;
mod order;
mod output;
mod parse;
mod place;
mod print;
mod ruleset;
mod source;
mod stateful;
mod suggest;
mod types;
mod version;
mod yaml;

pub use additions::{AdditionError, Additions, AppendOutput, Extra, ExtraField};
pub use ast::{
    Check, Expr, FieldName, Modifier, Operand, Operator, OperatorClass, Right, Transform, TransformArgument,
    Transformer, Value,
};
pub use condition::{Argument, Call, Comparand, Condition, FieldRef, Literal, Term, Test};
pub use diagnostic::{Code, Diagnostic, ItemType, LoadReport};
pub use evttypes::EventSet;
pub use field::{ArgumentRule, CarriedBy, Field, FieldId, Usage};
pub use lexer::SyntaxError;
use literal::service_name;
pub use output::{Part, Template};
pub use parse::{DEPTH_MAX, parse_condition};
pub use place::Offset;
pub use ruleset::{Rule, RuleSet};
pub use sentinel_event::{Priority, Severity};
pub use stateful::{AT_MAX, BY_MAX, Key, SPAN_MAX_NS, STEPS_MAX, Sequence, Step, Threshold};
pub use types::{Type, TypeClass};
pub use version::{ENGINE_VERSION, Version};
pub use yaml::{Content, Mark, Node, Style};
