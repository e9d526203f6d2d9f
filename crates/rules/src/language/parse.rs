//! Conditions: text to syntax tree.

mod compare;

use sentinel_event::Text;

use super::{
    ast::{Check, Expr, FieldName, Operand, Transform, TransformArgument, Transformer},
    lexer::{Cursor, SyntaxError},
    place::Offset,
};

/// How deep productions may nest. A pair of parentheses costs four. Bounds the stack of every pass.
pub const DEPTH_MAX: usize = 1000;

/// Productions that a transformer nests: itself, its arguments, one of them, an operand.
const TRANSFORMER_DEPTH: usize = 4;

/// Reads a condition: syntax only, no name is looked up.
///
/// # Errors
/// The first thing that is not in the language, with its place.
pub fn parse_condition(text: impl AsRef<[u8]>) -> Result<Expr, SyntaxError> {
    parse_with_lists(text.as_ref(), &[])
}

/// The same, where `spaced` are the names of lists that hold blanks and may stand as elements of a list.
pub(super) fn parse_with_lists(text: &[u8], spaced: &[&str]) -> Result<Expr, SyntaxError> {
    let mut parser = Parser { cursor: Cursor::new(text), depth: 0, spaced };
    let condition = parser.or_expr()?;
    parser.cursor.blanks();
    if parser.cursor.at_end() {
        return Ok(condition);
    }
    let last = parser.cursor.last_token();
    parser.cursor.error(format!("unexpected token after '{last}', expecting 'or', 'and'"))
}

/// The longest beginning of `text` that is a field or a transformer, and its length in bytes. None when
/// there is no such beginning.
pub(super) fn operand_prefix(text: &[u8]) -> Option<(Operand, usize)> {
    let mut parser = Parser { cursor: Cursor::new(text), depth: 0, spaced: &[] };
    let operand = parser.operand().ok().flatten()?;
    Some((operand, parser.cursor.position()))
}

/// `text` without its quotes when it is one quoted string and nothing else.
///
/// # Errors
/// It begins with a quote and is no quoted string.
pub(super) fn unquoted(text: &str) -> Result<Option<Text>, SyntaxError> {
    let mut cursor = Cursor::new(text.as_bytes());
    let string = cursor.quoted_string()?;
    if string.is_some() && !cursor.at_end() {
        return cursor.error("unexpected text after the quoted string");
    }
    Ok(string)
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    depth: usize,
    spaced: &'a [&'a str],
}

type Parsed<T> = Result<T, SyntaxError>;

impl Parser<'_> {
    /// Counts productions that are entered; [`Self::leave`] counts them off.
    fn enter(&mut self, productions: usize) -> Parsed<()> {
        self.depth += productions;
        if self.depth > DEPTH_MAX { self.fail("exceeded max depth limit of 1000") } else { Ok(()) }
    }

    const fn leave(&mut self, productions: usize) {
        self.depth -= productions;
    }

    fn fail<T>(&self, message: &str) -> Parsed<T> {
        self.cursor.error(message)
    }

    fn or_expr(&mut self) -> Parsed<Expr> {
        self.enter(1)?;
        let expr = self.chain("or", Self::and_expr, Expr::Or)?;
        self.leave(1);
        Ok(expr)
    }

    fn and_expr(&mut self) -> Parsed<Expr> {
        self.enter(1)?;
        let expr = self.chain("and", Self::not_expr, Expr::And)?;
        self.leave(1);
        Ok(expr)
    }

    /// Operands with `word` between them. Behind `word` stands a blank and an operand, or an expression in
    /// parentheses at once.
    fn chain(
        &mut self,
        word: &str,
        operand: fn(&mut Self) -> Parsed<Expr>,
        join: fn(Vec<Expr>) -> Expr,
    ) -> Parsed<Expr> {
        self.cursor.blanks();
        let mut last = operand(self)?;
        let mut parts = Vec::new();
        loop {
            self.cursor.blanks();
            if !self.cursor.eat(word) {
                break;
            }
            parts.push(last);
            if self.cursor.blanks() {
                last = operand(self)?;
            } else if self.cursor.eat("(") {
                last = self.parenthesised()?;
            } else {
                return self.fail(if word == "or" {
                    "expected blank or '(' after 'or'"
                } else {
                    "expected blank or '(' after 'and'"
                });
            }
        }
        if parts.is_empty() {
            return Ok(last);
        }
        parts.push(last);
        Ok(join(parts))
    }

    fn not_expr(&mut self) -> Parsed<Expr> {
        self.enter(1)?;
        self.cursor.blanks();
        let mut negate = false;
        while self.cursor.eat_spaced("not") {
            negate = !negate;
        }
        let inner = if self.cursor.eat("not(") {
            negate = !negate;
            self.parenthesised()?
        } else {
            self.check()?
        };
        self.leave(1);
        Ok(if negate { inner.negated() } else { inner })
    }

    /// What follows an opening parenthesis, with the closing one.
    fn parenthesised(&mut self) -> Parsed<Expr> {
        let inner = self.or_expr()?;
        self.cursor.blanks();
        if self.cursor.eat(")") { Ok(inner) } else { self.fail("expected a ')' token") }
    }

    fn check(&mut self) -> Parsed<Expr> {
        self.enter(1)?;
        self.cursor.blanks();
        let expr = if self.cursor.eat("(") { self.parenthesised()? } else { self.comparison_or_macro()? };
        self.leave(1);
        Ok(expr)
    }

    fn comparison_or_macro(&mut self) -> Parsed<Expr> {
        let at = Offset(self.cursor.position());
        if let Some(left) = self.operand()? {
            let (operator, right) = self.comparison()?;
            return Ok(Expr::Check(Box::new(Check { left, operator, right, at })));
        }
        match self.cursor.identifier() {
            Some(name) => Ok(Expr::Macro(name, at)),
            None => self.fail("expected a '(' token, a field check, or an identifier"),
        }
    }

    /// A field or a transformer; none when neither stands here.
    fn operand(&mut self) -> Parsed<Option<Operand>> {
        if let Some(field) = self.field()? {
            return Ok(Some(Operand::Field(field)));
        }
        Ok(self.transform()?.map(Operand::Transform))
    }

    fn field(&mut self) -> Parsed<Option<FieldName>> {
        let at = Offset(self.cursor.position());
        let Some(name) = self.cursor.field_name() else { return Ok(None) };
        let argument = self.bracketed()?;
        Ok(Some(FieldName { name, argument, at }))
    }

    /// An argument in brackets; none when there is no opening bracket.
    fn bracketed(&mut self) -> Parsed<Option<Text>> {
        if !self.cursor.eat("[") {
            return Ok(None);
        }
        let argument = match self.cursor.quoted_string()? {
            Some(quoted) => Some(quoted),
            None => self.cursor.bare_argument(),
        };
        let Some(argument) = argument else {
            return self.fail("expected a valid field argument: a quoted string or a bare string");
        };
        if self.cursor.eat("]") { Ok(Some(argument)) } else { self.fail("expected a ']' token") }
    }

    fn transform(&mut self) -> Parsed<Option<Transform>> {
        let start = self.cursor.position();
        let Some(transformer) = self.cursor.identifier().and_then(|name| Transformer::from_word(&name))
        else {
            self.cursor.back_to(start);
            return Ok(None);
        };
        if !self.cursor.eat("(") {
            self.cursor.back_to(start);
            return Ok(None);
        }
        self.enter(TRANSFORMER_DEPTH)?;
        let arguments = self.arguments(true)?;
        if arguments.is_empty() {
            return self.fail("expected an argument of the transformer");
        }
        let index = self.bracketed()?;
        self.leave(TRANSFORMER_DEPTH);
        Ok(Some(Transform { transformer, arguments, index, at: Offset(start) }))
    }

    /// Arguments behind an opening parenthesis, with the closing one.
    fn arguments(&mut self, lists: bool) -> Parsed<Vec<TransformArgument>> {
        let mut arguments = Vec::new();
        self.cursor.blanks();
        if self.cursor.eat(")") {
            return Ok(arguments);
        }
        loop {
            self.cursor.blanks();
            arguments.push(self.argument(lists)?);
            self.cursor.blanks();
            if self.cursor.eat(")") {
                return Ok(arguments);
            }
            if !self.cursor.eat(",") {
                return self.fail("expected a ')' token or a ',' token");
            }
        }
    }

    fn argument(&mut self, lists: bool) -> Parsed<TransformArgument> {
        if let Some(number) = self.cursor.hex_number().or_else(|| self.cursor.number()) {
            return Ok(TransformArgument::Number(number));
        }
        if let Some(text) = self.cursor.quoted_string()? {
            return Ok(TransformArgument::Text(text));
        }
        if lists && self.cursor.eat("(") {
            return self.arguments(false).map(TransformArgument::List);
        }
        match self.operand()? {
            Some(operand) => Ok(TransformArgument::Operand(operand)),
            None => self.fail("expected a number, a quoted string, a list, a transformer or a field"),
        }
    }
}
