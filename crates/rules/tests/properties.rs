//! What holds for every text.

use proptest::prelude::*;
use sentinel_rules::language::{
    Check, Expr, FieldName, Modifier, Offset, Operand, Operator, OperatorClass, Right, RuleSet, Transform,
    TransformArgument, Transformer, Value, parse_condition,
};

const AT: Offset = Offset(0);

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let odd = prop::sample::select(b" \t\\\"'=(),[]\x00\x08\x0b\x0c\nx.0-\xff\xc3".to_vec());
    prop::collection::vec(prop_oneof![odd, any::<u8>()], 0..12)
}

fn value() -> impl Strategy<Value = Value> {
    bytes().prop_map(|text| Value { text: text.into(), bare: false, at: AT })
}

fn word() -> impl Strategy<Value = Value> {
    let words =
        "[a-z][a-z0-9_]{0,6}".prop_filter("keyword", |word| !matches!(word.as_str(), "and" | "or" | "not"));
    words.prop_map(|text| Value { text: text.into(), bare: true, at: AT })
}

fn field() -> impl Strategy<Value = FieldName> {
    let argument = prop::option::of(bytes().prop_map(Into::into));
    ("[a-z]{1,4}(\\.[a-zA-Z][a-z0-9_]{0,5}){1,3}", argument).prop_map(|(name, argument)| FieldName {
        name,
        argument,
        at: AT,
    })
}

fn transform() -> impl Strategy<Value = Transform> {
    let number = prop::sample::select(vec!["0", "-1.5e+3", "0xFf", "+7."]);
    let leaf = prop_oneof![
        number.prop_map(|number| TransformArgument::Number(number.into())),
        bytes().prop_map(|text| TransformArgument::Text(text.into())),
        field().prop_map(|field| TransformArgument::Operand(Operand::Field(field))),
    ]
    .boxed();
    let list = prop::collection::vec(leaf.clone(), 0..3).prop_map(TransformArgument::List);
    let argument = prop_oneof![4 => leaf, 1 => list].boxed();
    let make = |(transformer, arguments, index): (Transformer, Vec<TransformArgument>, Option<Vec<u8>>)| {
        Transform { transformer, arguments, index: index.map(Into::into), at: AT }
    };
    let names = prop::sample::select(Transformer::ALL.to_vec());
    let flat = (names.clone(), prop::collection::vec(argument.clone(), 1..3), prop::option::of(bytes()))
        .prop_map(make)
        .boxed();
    let inner = flat.clone().prop_map(|transform| TransformArgument::Operand(Operand::Transform(transform)));
    let deep = prop::collection::vec(prop_oneof![argument, inner], 1..3);
    prop_oneof![flat, (names, deep, prop::option::of(bytes())).prop_map(make)]
}

fn check() -> impl Strategy<Value = Expr> {
    let left =
        prop_oneof![3 => field().prop_map(Operand::Field), 1 => transform().prop_map(Operand::Transform)];
    let computed =
        prop_oneof![field().prop_map(Right::Field), transform().prop_map(Right::Transform)].boxed();
    let right = move |operator: Operator| -> BoxedStrategy<Right> {
        let list = |modifier: BoxedStrategy<Option<Modifier>>| {
            let many =
                (modifier.clone(), prop::collection::vec(value(), 0..4)).prop_map(|(m, v)| Right::List(m, v));
            let one = (modifier, word()).prop_map(|(modifier, word)| Right::Word(modifier, word));
            prop_oneof![many, one].boxed()
        };
        let some = prop::sample::select(Modifier::ALL.to_vec()).prop_map(Some).boxed();
        match operator.class() {
            OperatorClass::Unary => Just(Right::Nothing).boxed(),
            OperatorClass::Number => {
                let number = "[+-]?[0-9]{1,4}|0x[0-9a-f]{1,4}";
                let number =
                    number.prop_map(|text| Right::Value(Value { text: text.into(), bare: false, at: AT }));
                prop_oneof![number, computed.clone()].boxed()
            }
            OperatorClass::Text => {
                prop_oneof![value().prop_map(Right::Value), list(some), computed.clone()].boxed()
            }
            OperatorClass::List => prop_oneof![list(Just(None).boxed()), computed.clone()].boxed(),
        }
    };
    (left, prop::sample::select(Operator::ALL.to_vec()))
        .prop_flat_map(move |(left, operator)| (Just(left), Just(operator), right(operator)))
        .prop_map(|(left, operator, right)| Expr::Check(Box::new(Check { left, operator, right, at: AT })))
}

/// Whether the canonical form of an expression says all of it: Falco's does not for some texts.
fn reads_back(expr: &Expr) -> bool {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().all(reads_back),
        Expr::Not(part) => !matches!(**part, Expr::Not(_)) && reads_back(part),
        Expr::Macro(..) => true,
        Expr::Check(check) => {
            let right = match &check.right {
                Right::Field(field) => field.argument.as_deref().is_none_or(|text| is_plain_argument(text)),
                Right::Transform(transform) => is_plain_transform(transform),
                right => right.constants().iter().all(|value| is_plain(&value.text)),
            };
            right && is_plain_operand(&check.left)
        }
    }
}

fn is_plain_operand(operand: &Operand) -> bool {
    match operand {
        Operand::Field(field) => field.argument.as_deref().is_none_or(|text| is_plain_argument(text)),
        Operand::Transform(transform) => is_plain_transform(transform),
    }
}

fn is_plain_transform(transform: &Transform) -> bool {
    fn is_plain_part(argument: &TransformArgument) -> bool {
        match argument {
            TransformArgument::Number(_) => true,
            TransformArgument::Text(text) => text.last() != Some(&b'\\'),
            TransformArgument::List(parts) => parts.iter().all(is_plain_part),
            TransformArgument::Operand(operand) => is_plain_operand(operand),
        }
    }
    let index = transform.index.as_deref().is_none_or(|text| is_plain_argument(text));
    index && transform.arguments.iter().all(is_plain_part)
}

/// A constant that is not quoted has to be a bare word: no parentheses, no comma, not empty, no `val(`.
fn is_plain(text: &[u8]) -> bool {
    !text.is_empty()
        && text.last() != Some(&b'\\')
        && !text.iter().any(|byte| matches!(byte, b'(' | b')' | b','))
}

fn is_plain_argument(text: &[u8]) -> bool {
    text.last() != Some(&b'\\') && !text.iter().any(|byte| matches!(byte, b'[' | b']'))
}

fn condition() -> impl Strategy<Value = Expr> {
    let name =
        "[a-z][a-z0-9_]{0,6}".prop_filter("keyword", |name| !matches!(name.as_str(), "and" | "or" | "not"));
    let leaf = prop_oneof![4 => check(), 1 => name.prop_map(|name| Expr::Macro(name, AT))];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::Or),
            inner.prop_map(Expr::negated),
        ]
    })
}

/// Pieces of conditions, so that random texts are nearly right.
fn scraps() -> impl Strategy<Value = String> {
    let pieces = [
        "a.b",
        "m",
        " ",
        "\n",
        "(",
        ")",
        ",",
        "[",
        "]",
        "=",
        "!=",
        "<",
        "and ",
        "or ",
        "not ",
        "not(",
        "in ",
        "exists",
        "contains ",
        "oneof ",
        "val(",
        "tolower(",
        "getopt(",
        "\"",
        "'",
        "\\",
        "\\x4",
        "0x1",
        "-1.e+",
        "é",
        "list",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.concat())
}

fn yaml_scraps() -> impl Strategy<Value = String> {
    let pieces = [
        "- rule: r\n",
        "- macro: m\n",
        "- list: l\n",
        "  condition: ",
        "  output: ",
        "  desc: d\n",
        "  priority: INFO\n",
        "  items: [a, l, 'x y']\n",
        "  append: true\n",
        "  override: {condition: append}\n",
        "proc.name = x\n",
        "m and m\n",
        ">\n    fd.name in (l)\n",
        "  exceptions: [{name: e, fields: proc.name, values: [a]}]\n",
        "  tags: [a]\n",
        "%proc.name\n",
        "- required_engine_version: 5\n",
        "  enabled: no\n",
        "---\n",
        "&a ",
        "*a\n",
        "  - ",
        "{",
        "[",
        "\"",
        "~\n",
        "  bad: x\n",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused_within_the_text(text in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Err(error) = parse_condition(&text) {
            prop_assert!(error.offset <= text.len());
            prop_assert!(error.line >= 1 && error.column >= 1);
        }
    }

    #[test]
    fn what_is_read_prints_to_something_that_reads_the_same_if_it_can(text in scraps()) {
        if let Ok(expr) = parse_condition(&text) {
            let canonical = expr.canonical();
            prop_assert!(!reads_back(&expr) || parse_condition(&canonical) == Ok(expr), "{} became {}", text, canonical);
        }
    }

    #[test]
    fn every_tree_that_can_be_said_survives_printing(expr in condition().prop_filter("says all", reads_back)) {
        let canonical = expr.canonical();
        prop_assert_eq!(parse_condition(&canonical), Ok(expr), "{}", canonical);
    }

    #[test]
    fn any_text_loads_or_is_refused_in_its_file(text in prop_oneof![yaml_scraps(), any::<String>()]) {
        let (report, set) = RuleSet::load(&[("f.yaml", &text)]);
        prop_assert_eq!(report.successful, set.is_some());
        prop_assert_eq!(report.successful, report.errors.is_empty());
        for diagnostic in report.errors.iter().chain(&report.warnings) {
            prop_assert_eq!(&diagnostic.file, "f.yaml");
            prop_assert!(diagnostic.line >= 1 && diagnostic.line <= text.split('\n').count() + 1, "{}", diagnostic);
        }
    }
}
