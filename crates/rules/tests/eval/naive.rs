//! An evaluator that walks the tree and remembers nothing. What the engine says must be what it says.

use proptest::prelude::*;
use sentinel_event::{Body, Endpoint, Observation, PathFlags, Socket, Source};
use sentinel_rules::language::{
    Comparand, Condition, Literal, Modifier, Operator, Rule, RuleSet, Test,
    eval::{Engine, Matching, Memory, Reading, Scalar, Selection, Witness, read},
};

use super::{build, random};

fn condition(condition: &Condition, event: &Observation, witness: Witness) -> bool {
    match condition {
        Condition::And(parts) => parts.iter().all(|part| self::condition(part, event, witness)),
        Condition::Or(parts) => parts.iter().any(|part| self::condition(part, event, witness)),
        Condition::Not(part) => !self::condition(part, event, witness),
        Condition::Test(one) => test(one, event, witness),
    }
}

fn test(test: &Test, event: &Observation, witness: Witness) -> bool {
    let left = read(&test.left, event, witness);
    let (values, every) = match left {
        Reading::Missing => return false,
        Reading::One(value) => (vec![value], false),
        Reading::Any(values) => (values, false),
        Reading::Ends(values) => (values, test.operator == Operator::NotEqual),
        Reading::List(values) => (values, test.operator == Operator::In),
    };
    let holds = |value: &Scalar| match &test.right {
        Comparand::Nothing => true,
        Comparand::One(literal) => compare(test.operator, value, literal),
        Comparand::Many(modifier, literals) => {
            let count = literals.iter().filter(|literal| compare(test.operator, value, literal)).count();
            match modifier {
                None | Some(Modifier::AnyOf) => count > 0,
                Some(Modifier::OneOf) => count == 1,
                Some(Modifier::AllOf) => count > 0 && count == literals.len(),
            }
        }
        Comparand::Term(term) => match read(term, event, witness) {
            Reading::Missing => false,
            Reading::One(other) => compare(test.operator, value, &literal(other)),
            Reading::Any(others) | Reading::Ends(others) | Reading::List(others) => others.contains(value),
        },
    };
    if test.operator == Operator::Exists {
        return true;
    }
    if every { values.iter().all(holds) } else { values.iter().any(holds) }
}

fn literal(value: Scalar) -> Literal {
    match value {
        Scalar::Text(text) => Literal::Text(text),
        Scalar::Signed(number) => Literal::Signed(number),
        Scalar::Unsigned(number) => Literal::Unsigned(number),
        Scalar::Bool(truth) => Literal::Bool(truth),
        Scalar::Address(ip) => Literal::Address(ip),
    }
}

fn compare(operator: Operator, value: &Scalar, constant: &Literal) -> bool {
    match (value, constant) {
        (Scalar::Text(value), Literal::Text(constant)) => texts(operator, value, constant),
        (Scalar::Text(value), Literal::Bytes(constant)) => texts(operator, value, constant),
        (Scalar::Signed(value), Literal::Signed(constant)) => ordered(operator, value, constant),
        (Scalar::Unsigned(value), Literal::Unsigned(constant)) => ordered(operator, value, constant),
        (Scalar::Bool(value), Literal::Bool(constant)) => ordered(operator, value, constant),
        (Scalar::Address(value), Literal::Address(constant)) => equality(operator, value == constant),
        (Scalar::Address(value), Literal::Network(base, prefix)) => {
            let bits = |ip: &std::net::IpAddr| match ip {
                std::net::IpAddr::V4(ip) => format!("{:032b}", ip.to_bits()),
                std::net::IpAddr::V6(ip) => format!("{:0128b}", ip.to_bits()),
            };
            let (value, base) = (bits(value), bits(base));
            let prefix = usize::from(*prefix);
            equality(operator, value.len() == base.len() && value[..prefix] == base[..prefix])
        }
        other => panic!("{other:?}"),
    }
}

fn equality(operator: Operator, equal: bool) -> bool {
    match operator {
        Operator::Equal | Operator::In | Operator::Intersects => equal,
        Operator::NotEqual => !equal,
        other => panic!("{other:?}"),
    }
}

fn ordered<T: Ord>(operator: Operator, value: &T, constant: &T) -> bool {
    match operator {
        Operator::Less => value < constant,
        Operator::LessEqual => value <= constant,
        Operator::Greater => value > constant,
        Operator::GreaterEqual => value >= constant,
        other => equality(other, value == constant),
    }
}

fn texts(operator: Operator, value: &[u8], constant: &[u8]) -> bool {
    let within = |value: &[u8], part: &[u8]| (0..=value.len()).any(|at| value[at..].starts_with(part));
    match operator {
        Operator::Contains | Operator::BContains => within(value, constant),
        Operator::IContains => within(&value.to_ascii_lowercase(), &constant.to_ascii_lowercase()),
        Operator::StartsWith | Operator::BStartsWith => value.starts_with(constant),
        Operator::EndsWith => value.ends_with(constant),
        Operator::Glob => glob(constant, value),
        Operator::IGlob => glob(&constant.to_ascii_lowercase(), &value.to_ascii_lowercase()),
        Operator::PMatch => {
            let parts = |path: &[u8]| -> Vec<Vec<u8>> {
                path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).map(<[u8]>::to_vec).collect()
            };
            let (value, wanted) = (parts(value), parts(constant));
            value.len() >= wanted.len() && wanted.iter().zip(&value).all(|(wanted, part)| glob(wanted, part))
        }
        Operator::Regex => {
            let pattern = format!(r"\A(?:{})\z", String::from_utf8_lossy(constant));
            let whole = regex::Regex::new(&pattern).expect("it was loaded");
            whole.is_match(&String::from_utf8_lossy(value))
        }
        other => ordered(other, &value, &constant),
    }
}

/// Stars and question marks: the conditions here have no more.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => (0..=text.len()).any(|at| glob(rest, &text[at..])),
        [b'?', rest @ ..] => !text.is_empty() && glob(rest, &text[1..]),
        [byte, rest @ ..] => text.first() == Some(byte) && glob(rest, &text[1..]),
    }
}

/// Whether the caller's word counts beside the kernel's.
fn second_witness(event: &Observation) -> bool {
    let set = |end: &Endpoint| end.ip.is_some() || !end.path.is_empty();
    let told = |socket: &Socket, found: &Endpoint| {
        let asked = &socket.asked;
        let differs = (asked.ip, asked.port, &asked.path) != (found.ip, found.port, &found.path);
        socket.shared && asked.source == Source::User && set(asked) && set(found) && differs
    };
    match &event.event.body {
        Body::FileOpen(open) => {
            let both = !open.path.bytes.is_empty() && !open.asked.path.is_empty();
            both && open.path.flags.contains(PathFlags::SHARED) && open.path.bytes != open.asked.path
        }
        Body::Connect(connect) => told(&connect.socket, &connect.socket.peer),
        Body::Bind(bind) => told(&bind.socket, &bind.socket.local),
        body => body.names().into_iter().flatten().any(|name| name.second.is_some()),
    }
}

/// Conditions that use what stock rules do not.
const OTHERS: &[&str] = &[
    "fd.name startswith anyof (/etc, /etc/sh, /var/log, '') or fd.name startswith /root or fd.name pmatch (/etc)",
    "not fd.name startswith /usr and fd.name != /etc/shadow",
    "fd.name contains allof (e, c) or fd.name contains oneof (a, b) or fd.name != allof (/a, /etc/shadow)",
    "fd.name glob '*/s?*' or fd.name iglob '/ETC/*' or proc.exepath regex '/usr/.*|.*ss.'",
    "fd.name pmatch (/etc, /var/l*/sys?og, /home/u)",
    "fd.ip = 10.0.0.5 or fd.ip != 127.0.0.1 or fd.net in (10.0.0.0/8, 2606::/16)",
    "fd.net != 0.0.0.0/1 and fd.port != 443 and fd.port >= 100",
    "proc.aname in (bash, sshd) or proc.aname != nginx or proc.apid > 400 or proc.acmdline contains -e",
    "proc.name = val(proc.pname) or proc.name != val(proc.pexe) or proc.exe endswith val(proc.name)",
    "toupper(proc.name) in (BASH, CAT) or len(proc.args) > 4 or basename(fd.name) = shadow",
    "getopt(proc.args, \"e:c\") intersects (e, c) or getopt(proc.args, \"e:c\") in (e, c, x)",
    "concat(proc.name, fd.name) contains sh/ or join(\" \", (proc.name, proc.pname)) = 'bash sshd'",
    "evt.arg.flags contains O_CREAT or evt.args icontains enoent or evt.arg[0] startswith E",
    "evt.type in (openat, execve) or evt.type != connect and not evt.type startswith re",
    "evt.rawres < 0 and evt.failed = true or evt.num < 1 and evt.num > 0",
    "user.loginuid = -1 or proc.duration <= 5000000000 or proc.tty in (0, 34816)",
    "fs.path.name = /etc/shadow or fs.path.source startswith /etc or fs.path.target exists",
    "container.id = host or container.image.repository != x or fd.types in ()",
    "fd.name endswith shadow and proc.name != x",
    "fd.name endswith history or fd.name contains .ssh/ or fd.name endswith syslog",
    "fd.name contains id_ and fd.name glob '/root/*'",
    "fd.name contains etc and (fd.name glob '/etc/s*' or fd.filename contains .)",
    "(proc.name in (bash, cat) or fd.name glob '/proc/?/env*' or fd.name endswith w) and not fd.name contains pam",
    "fd.directory in () or fd.filename intersects () or fd.name startswith anyof ()",
];

fn others() -> RuleSet {
    let one = |(number, condition): (usize, &&str)| {
        build::rule(condition, "%proc.aname %evt.args %fd.name %evt.time")
            .replace("- rule: r", &format!("- rule: r{number}"))
    };
    build::load(&OTHERS.iter().enumerate().map(one).collect::<String>())
}

pub(crate) fn rules() -> Vec<Engine> {
    let all = Selection { matching: Matching::All, ..Selection::default() };
    [Some(Engine::new(others(), &all)), build::stock()].into_iter().flatten().collect()
}

fn witnesses(event: &Observation) -> Vec<Witness> {
    let mut witnesses = vec![Witness::Kernel];
    witnesses.extend(second_witness(event).then_some(Witness::Caller));
    witnesses
}

/// What the tree says.
pub(crate) fn matches(rule: &Rule, event: &Observation) -> bool {
    witnesses(event).iter().any(|witness| condition(&rule.condition, event, *witness))
}

#[test]
fn an_event_of_another_kind_never_matches() {
    let sets = [Some(others()), build::stock_set()].into_iter().flatten();
    let alone = |rule: &Rule| {
        let set = RuleSet { rules: vec![rule.clone()] };
        (rule.clone(), Engine::new(set, &Selection::default()).kinds())
    };
    let rules: Vec<_> = sets.flat_map(|set| set.rules).map(|rule| alone(&rule)).collect();
    let config = ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(event in random::observation())| {
        for (rule, kinds) in &rules {
            let seen = kinds.contains(event.event.kind());
            prop_assert!(seen || !matches(rule, &event), "{} on {:?}", rule.name, event);
        }
    });
}

#[test]
fn the_engine_says_what_the_tree_says() {
    let engines = rules();
    // One memory for all events and both engines: what is left in it of others must not matter.
    let memory = std::cell::RefCell::new(Memory::default());
    let config = ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(event in random::observation())| {
        let name = sentinel_rules::language::eval::call_name(&event);
        for engine in &engines {
            let mut alerts = Vec::new();
            engine.evaluate(&event, &mut memory.borrow_mut(), &mut |alert| {
                let mut out = Vec::new();
                alert.text(&mut out);
                assert!(std::str::from_utf8(&out).is_ok_and(|text| !text.contains(char::is_control)));
                for render in [sentinel_json, falco_json] {
                    let mut out = Vec::new();
                    render(&alert, &mut out);
                    serde_json::from_slice::<serde_json::Value>(&out).expect("JSON");
                }
                alerts.push(alert.rule.name.clone());
            });
            for rule in engine.rules() {
                let possible = name.is_some_and(|name| rule.event_types.contains(name));
                let expected = matches(rule, &event);
                prop_assert!(possible || !expected, "{} cannot match {name:?}", rule.name);
                prop_assert_eq!(alerts.contains(&rule.name), expected, "{} on {:?}", rule.name, event);
            }
        }
    });
}

fn sentinel_json(alert: &sentinel_rules::language::eval::Alert<'_>, out: &mut Vec<u8>) {
    alert.sentinel_json(out);
}

fn falco_json(alert: &sentinel_rules::language::eval::Alert<'_>, out: &mut Vec<u8>) {
    alert.falco_json(out);
}
