//! The operator and the right side of a comparison.

use crate::language::{
    ast::{FieldName, Modifier, Operator, OperatorClass, Right, Value},
    place::Offset,
};

use super::{Parsed, Parser};

impl Parser<'_> {
    pub(super) fn comparison(&mut self) -> Parsed<(Operator, Right)> {
        self.cursor.blanks();
        let Some(operator) = self.operator() else {
            let words: Vec<_> =
                Operator::ALL.iter().map(|operator| format!("'{}'", operator.word())).collect();
            return self.cursor.error(format!("expected an operator: one of {}", words.join(", ")));
        };
        self.cursor.blanks();
        let right = match operator.class() {
            OperatorClass::Unary => Right::Nothing,
            OperatorClass::Number => self.number()?,
            OperatorClass::Text => self.text()?,
            OperatorClass::List => self.list_or_word()?,
        };
        Ok((operator, right))
    }

    fn operator(&mut self) -> Option<Operator> {
        Operator::ALL.iter().copied().find(|operator| match operator.class() {
            OperatorClass::Text if operator.is_word() => self.cursor.eat_spaced(operator.word()),
            _ => self.cursor.eat(operator.word()),
        })
    }

    fn number(&mut self) -> Parsed<Right> {
        let at = Offset(self.cursor.position());
        if let Some(number) = self.cursor.hex_number().or_else(|| self.cursor.number()) {
            return Ok(Right::Value(Value { text: number.into(), bare: false, at }));
        }
        match self.right_operand()? {
            Some(right) => Ok(right),
            None => {
                self.cursor.error("expected a number value or a field with a valid transformer, like val()")
            }
        }
    }

    fn text(&mut self) -> Parsed<Right> {
        if let Some(modifier) = self.modifier() {
            return match self.list()? {
                Some(values) => Ok(Right::List(Some(modifier), values)),
                None => match self.word() {
                    Some(word) => Ok(Right::Word(Some(modifier), word)),
                    None => self.cursor.error("expected a list or an identifier"),
                },
            };
        }
        if let Some(right) = self.right_operand()? {
            return Ok(right);
        }
        match self.value(&[])? {
            Some(value) => Ok(Right::Value(value)),
            None => {
                self.cursor.error("expected a string value or a field with a valid transformer, like val()")
            }
        }
    }

    /// A modifier: the word, a blank, and then a list or an identifier that is no keyword.
    fn modifier(&mut self) -> Option<Modifier> {
        let start = self.cursor.position();
        let modifier =
            Modifier::ALL.iter().copied().find(|modifier| self.cursor.eat_spaced(modifier.word()))?;
        let behind = self.cursor.position();
        let list = self.cursor.eat("(");
        let word = self.cursor.identifier();
        if list || word.is_some_and(|word| !matches!(word.as_str(), "and" | "or" | "not")) {
            self.cursor.back_to(behind);
            return Some(modifier);
        }
        self.cursor.back_to(start);
        None
    }

    fn list_or_word(&mut self) -> Parsed<Right> {
        if let Some(values) = self.list()? {
            return Ok(Right::List(None, values));
        }
        if let Some(right) = self.right_operand()? {
            return Ok(right);
        }
        match self.word() {
            Some(word) => Ok(Right::Word(None, word)),
            None => self
                .cursor
                .error("expected a list, an identifier, or a field with a valid transformer, like val()"),
        }
    }

    fn word(&mut self) -> Option<Value> {
        let at = Offset(self.cursor.position());
        self.cursor.identifier().map(|word| Value { text: word.into(), bare: true, at })
    }

    /// `val(field)` or a transformer; none when neither stands here.
    fn right_operand(&mut self) -> Parsed<Option<Right>> {
        if self.cursor.eat("val(") {
            return self.val().map(|field| Some(Right::Field(field)));
        }
        Ok(self.transform()?.map(Right::Transform))
    }

    fn val(&mut self) -> Parsed<FieldName> {
        self.cursor.blanks();
        let Some(field) = self.field()? else { return self.cursor.error("expected a field in val()") };
        self.cursor.blanks();
        if self.cursor.eat(")") { Ok(field) } else { self.cursor.error("expected a ')' token") }
    }

    /// Values in parentheses; none when there is no opening one.
    fn list(&mut self) -> Parsed<Option<Vec<Value>>> {
        if !self.cursor.eat("(") {
            return Ok(None);
        }
        let mut values = Vec::new();
        self.cursor.blanks();
        if self.cursor.eat(")") {
            return Ok(Some(values));
        }
        loop {
            self.cursor.blanks();
            match self.value(self.spaced)? {
                Some(value) => values.push(value),
                None => return self.cursor.error("expected a value of the list"),
            }
            self.cursor.blanks();
            if self.cursor.eat(")") {
                return Ok(Some(values));
            }
            if !self.cursor.eat(",") {
                return self.cursor.error("expected a ')' token or a ',' token");
            }
        }
    }

    fn value(&mut self, spaced: &[&str]) -> Parsed<Option<Value>> {
        let at = Offset(self.cursor.position());
        if let Some(text) = self.cursor.quoted_string()? {
            return Ok(Some(Value { text, bare: false, at }));
        }
        if let Some(name) = spaced.iter().find(|name| self.cursor.eat_delimited(name)) {
            return Ok(Some(Value { text: (*name).into(), bare: true, at }));
        }
        Ok(self.cursor.bare_string().map(|text| Value { text, bare: true, at }))
    }
}
