//! What statistics are made from.

use std::borrow::Cow;

/// What is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Seen<'a> {
    /// An alert.
    One(Brief<'a>),
    /// Several, under one name. Every alert is counted under its rule, its node and its workload, and under its pod
    /// if it has one.
    Many(Count<'a>),
}

/// An alert, as far as it is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Brief<'a> {
    pub(crate) ts_ms: i64,
    pub(crate) severity: u8,
    pub(crate) rule_id: &'a str,
    pub(crate) rule: &'a str,
    pub(crate) node: &'a str,
    pub(crate) pod: &'a str,
    pub(crate) namespace: &'a str,
    /// See [`super::Entry`]; empty in old rows.
    pub(crate) workload: &'a str,
}

/// What a name is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sort {
    /// `more`: the rule's name.
    Rule,
    Node,
    /// `more`: the namespace.
    Pod,
    Workload,
}

/// A name of an alert.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name<'a> {
    pub(crate) sort: Sort,
    pub(crate) name: Cow<'a, str>,
    pub(crate) more: Cow<'a, str>,
    /// Of rules; 0 otherwise.
    pub(crate) severity: u8,
}

/// How many alerts of a name there were within a while.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count<'a> {
    /// Within the while.
    pub(crate) ts_ms: i64,
    pub(crate) sort: Sort,
    pub(crate) name: &'a str,
    pub(crate) more: &'a str,
    pub(crate) severity: u8,
    pub(crate) count: u64,
}

impl Sort {
    const ALL: [Self; 4] = [Self::Rule, Self::Node, Self::Pod, Self::Workload];

    /// The sort with this number.
    pub(crate) fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl Name<'_> {
    /// The same on its own.
    pub(crate) fn owned(self) -> Name<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Name { sort: self.sort, name: own(self.name), more: own(self.more), severity: self.severity }
    }
}

impl<'a> Brief<'a> {
    /// What it is counted under.
    pub(crate) fn names(&self) -> impl Iterator<Item = Name<'a>> {
        let one =
            |sort, name: Cow<'a, str>, more: &'a str| Name { sort, name, more: more.into(), severity: 0 };
        let workload: Cow<'a, str> = match (self.workload, self.pod) {
            ("", "") => self.node.into(),
            ("", pod) => format!("{}/{pod}", self.namespace).into(),
            (workload, _) => workload.into(),
        };
        [
            Some(Name { severity: self.severity, ..one(Sort::Rule, self.rule_id.into(), self.rule) }),
            Some(one(Sort::Node, self.node.into(), "")),
            (!self.pod.is_empty()).then(|| one(Sort::Pod, self.pod.into(), self.namespace)),
            Some(one(Sort::Workload, workload, "")),
        ]
        .into_iter()
        .flatten()
    }
}
