//! From merged items to checked rules.

mod rule;
mod stateful;

use std::collections::HashSet;

use super::{
    ast::Expr,
    check::{self, Problem, Remark},
    condition::Condition,
    diagnostic::{Code, ItemType},
    expand::{Lists, TOO_MANY},
    journal::{About, Journal},
    merge::Collection,
    order,
    parse::{DEPTH_MAX, parse_with_lists},
    source::Source,
    suggest,
};

pub(super) use rule::compile_rules;

/// How many parts the conditions of a load may have in all, with macros in place.
const NODES_MAX: usize = 2_000_000;

/// How many undefined macros get the nearest defined one as a hint.
const HINTS_MAX: usize = 50;

/// A macro that rules can use.
#[derive(Debug)]
enum Macro {
    /// Checked.
    Ready { condition: Condition, size: usize, depth: usize },
    /// Wrong in a way that has been reported.
    Refused,
    /// Names or types in it are wrong, which matters when a rule uses it.
    Unusable {
        /// The macro in which it stands: this one, or one that this one names.
        origin: usize,
        problem: Problem,
    },
}

/// Why a condition is not usable.
#[derive(Debug)]
enum Fault {
    /// Something in the condition itself.
    Own(Code, Problem),
    /// Something in the macro with this number.
    Macro(usize),
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::Own(Code::ErrCompileCondition, problem)
    }
}

/// What conditions are compiled with.
pub(super) struct Compiler<'a, 'j, 'f> {
    collection: &'a Collection,
    lists: Lists<'a>,
    macros: Vec<Macro>,
    used: HashSet<usize>,
    /// Macros whose problem has been reported.
    reported: HashSet<usize>,
    /// What there is to say of each macro.
    remarks: Vec<(usize, Remark)>,
    left: usize,
    /// Names of macros searched for the nearest one.
    hints: usize,
    journal: &'j mut Journal<'f>,
}

/// A condition that is being put together.
struct Built {
    condition: Condition,
    size: usize,
    depth: usize,
}

impl<'a, 'j, 'f> Compiler<'a, 'j, 'f> {
    pub(super) fn new(collection: &'a Collection, journal: &'j mut Journal<'f>) -> Self {
        let lists = Lists::new(collection, journal);
        let mut compiler = Self {
            collection,
            lists,
            macros: Vec::new(),
            used: HashSet::new(),
            reported: HashSet::new(),
            remarks: Vec::new(),
            left: NODES_MAX,
            hints: 0,
            journal,
        };
        compiler.macros();
        compiler
    }

    /// Reads a condition and puts its lists in place.
    fn read(&mut self, text: &str) -> Result<Expr, Fault> {
        let parsed = parse_with_lists(text.as_bytes(), &self.lists.spaced);
        let mut expr = parsed.map_err(|error| Problem::new(error.offset, error.message))?;
        self.lists.expand(&mut expr).map_err(|offset| Problem::new(offset, TOO_MANY))?;
        Ok(expr)
    }

    /// Compiles every macro, those first that others name.
    fn macros(&mut self) {
        let macros = &self.collection.macros;
        self.macros.extend(macros.values.iter().map(|_| Macro::Refused));
        let mut bodies = Vec::with_capacity(macros.values.len());
        let mut edges = Vec::with_capacity(macros.values.len());
        for known in &macros.values {
            let mut names = Vec::new();
            let body = match self.read(known.body.text()) {
                Ok(body) => {
                    macro_names(&body, &mut names);
                    Some(body)
                }
                Err(fault) => {
                    self.refuse(fault, ItemType::Macro, &known.name, &known.body);
                    None
                }
            };
            let seen = names.iter().filter_map(|name| {
                let index = macros.find(name)?;
                let other = macros.values.get(index)?;
                (known.sees(other) || known.name == other.name).then_some(index)
            });
            edges.push(seen.collect::<Vec<_>>());
            bodies.push(body);
        }
        let ordered = order::order(&edges);
        let looping: HashSet<usize> = ordered.loops.iter().copied().collect();
        for index in ordered.order {
            let (Some(known), Some(Some(body))) = (macros.values.get(index), bodies.get(index)) else {
                continue;
            };
            if looping.contains(&index) {
                let about = About { item: ItemType::Macro, name: &known.name };
                let message = format!("reference loop in macro '{}'", known.name);
                self.journal.note(Code::Validate, about, known.at, message);
                continue;
            }
            let compiled = self.macro_body(index, body);
            if let Some(slot) = self.macros.get_mut(index) {
                *slot = compiled;
            }
        }
    }

    fn macro_body(&mut self, index: usize, body: &Expr) -> Macro {
        let Some(known) = self.collection.macros.values.get(index) else { return Macro::Refused };
        let mut remarks = Vec::new();
        let built = self.build(body, Some(index), &mut remarks);
        self.remarks.extend(remarks.into_iter().map(|remark| (index, remark)));
        match built {
            Ok(Built { condition, size, depth }) => Macro::Ready { condition, size, depth },
            Err(Fault::Own(Code::ErrCompileCondition, problem)) => Macro::Unusable { origin: index, problem },
            Err(Fault::Macro(other)) => match self.macros.get(other) {
                Some(Macro::Unusable { origin, problem }) => {
                    Macro::Unusable { origin: *origin, problem: problem.clone() }
                }
                _ => Macro::Refused,
            },
            Err(fault) => {
                self.refuse(fault, ItemType::Macro, &known.name, &known.body);
                Macro::Refused
            }
        }
    }

    /// Reports why a condition is refused.
    fn refuse(&mut self, fault: Fault, item: ItemType, name: &str, source: &Source) {
        if let Fault::Own(code, problem) = fault {
            let at = source.locate(problem.offset, &self.journal.files);
            self.journal.note(code, About { item, name }, at, problem.message);
        }
    }

    /// Checks an expression and puts its macros in place; `within` is the macro it is the body of.
    fn build(
        &mut self,
        expr: &Expr,
        within: Option<usize>,
        remarks: &mut Vec<Remark>,
    ) -> Result<Built, Fault> {
        match expr {
            Expr::And(parts) => self.chain(parts, Condition::And, within, remarks),
            Expr::Or(parts) => self.chain(parts, Condition::Or, within, remarks),
            Expr::Not(part) => {
                let part = self.build(part, within, remarks)?;
                let built =
                    Built { condition: part.condition.negated(), size: part.size + 1, depth: part.depth + 1 };
                bounded(built)
            }
            Expr::Check(source) => {
                // Sixteen constants count as much as a comparison.
                let size = 1 + source.right.constants().len() / 16;
                self.left = self.left.checked_sub(size).ok_or_else(|| too_large(source.at.0))?;
                let test = check::check(source, remarks)?;
                Ok(Built { condition: Condition::Test(test.into()), size, depth: 1 })
            }
            Expr::Macro(name, at) => self.use_macro(name, at.0, within),
        }
    }

    fn chain(
        &mut self,
        parts: &[Expr],
        join: fn(Vec<Condition>) -> Condition,
        within: Option<usize>,
        remarks: &mut Vec<Remark>,
    ) -> Result<Built, Fault> {
        let (mut conditions, mut size, mut depth) = (Vec::with_capacity(parts.len()), 1, 1);
        for part in parts {
            let built = self.build(part, within, remarks)?;
            conditions.push(built.condition);
            size += built.size;
            depth = depth.max(built.depth + 1);
        }
        bounded(Built { condition: join(conditions), size, depth })
    }

    fn use_macro(&mut self, name: &str, at: usize, within: Option<usize>) -> Result<Built, Fault> {
        let macros = &self.collection.macros;
        let found = macros.find(name).filter(|index| {
            let user = within.and_then(|user| macros.values.get(user));
            user.zip(macros.values.get(*index)).is_none_or(|(user, other)| user.sees(other))
        });
        let Some(index) = found else {
            // The search costs time for each macro there is, so it is not made for a thousand mistakes.
            self.hints += 1;
            let near = if self.hints > HINTS_MAX { None } else { suggest::nearest(name, macros.names()) };
            let hint = suggest::hint(near.filter(|near| *near != name));
            let end = if hint.is_empty() { "." } else { &hint };
            let message = format!("Undefined macro '{name}' used in filter{end}");
            return Err(Fault::Own(Code::Validate, Problem::new(at, message)));
        };
        self.used.insert(index);
        match self.macros.get(index) {
            Some(Macro::Ready { condition, size, depth }) => {
                self.left = self.left.checked_sub(*size).ok_or_else(|| too_large(at))?;
                Ok(Built { condition: condition.clone(), size: *size, depth: *depth })
            }
            _ => Err(Fault::Macro(index)),
        }
    }

    /// Notes what nobody uses, and what there is to say of what somebody does.
    pub(super) fn finish(self) {
        for (index, remark) in self.remarks {
            let Some(known) = self.collection.macros.values.get(index) else { continue };
            if self.used.contains(&index) {
                let at = known.body.locate(remark.offset, &self.journal.files);
                let about = About { item: ItemType::Macro, name: &known.name };
                self.journal.note(remark.code, about, at, remark.message);
            }
        }
        for (index, known) in self.collection.macros.values.iter().enumerate() {
            if !self.used.contains(&index) {
                let message = "Macro not referred to by any other rule/macro";
                let about = About { item: ItemType::Macro, name: &known.name };
                self.journal.note(Code::UnusedMacro, about, known.at, message);
            }
        }
        for list in self.lists.unused() {
            let about = About { item: ItemType::List, name: &list.name };
            self.journal.note(
                Code::UnusedList,
                about,
                list.at,
                "List not referred to by any other rule/macro/list",
            );
        }
    }
}

fn too_large(at: usize) -> Fault {
    let message = format!("conditions have more than {NODES_MAX} parts with their macros in place");
    Fault::Own(Code::Validate, Problem::new(at, message))
}

fn bounded(built: Built) -> Result<Built, Fault> {
    if built.depth <= DEPTH_MAX {
        return Ok(built);
    }
    let message = format!("conditions nest deeper than {DEPTH_MAX} with their macros in place");
    Err(Fault::Own(Code::Validate, Problem::new(0, message)))
}

/// Every macro that an expression names.
fn macro_names(expr: &Expr, names: &mut Vec<String>) {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| macro_names(part, names)),
        Expr::Not(part) => macro_names(part, names),
        Expr::Macro(name, _) => names.push(name.clone()),
        Expr::Check(_) => {}
    }
}
