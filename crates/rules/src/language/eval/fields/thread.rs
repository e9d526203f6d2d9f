//! `thread.*` of ids and cgroups; what a process is to its container.

use sentinel_event::Text;

use super::{
    Row, built, container, or_missing, plain,
    proc::{arguments, exe, head},
};
use crate::language::eval::{value::Value, view::View};

pub(super) const FIELDS: &[Row] = &[
    plain("thread.vtid", |view, _, _| {
        let head = head(view);
        match () {
            () if head.tid == head.process.tgid => Value::Signed(head.vpid.into()),
            // In a namespace in which the process keeps its number, its threads do too.
            () if head.vpid == head.process.tgid => Value::Signed(head.tid.into()),
            () => Value::Missing,
        }
    }),
    plain("thread.cgroup", |view, _, _| or_missing(cgroup(view), Value::Text)),
    built("thread.cgroups", |view, _, scratch| {
        or_missing(cgroup(view), |path| scratch.build(|out| cgroups(path, out)))
    }),
    plain("proc.pvpid", |view, _, _| match view.ancestor(1).map(|parent| parent.vpid) {
        None | Some(0) => Value::Missing,
        Some(pid) => Value::Signed(pid.into()),
    }),
    plain("proc.is_container_healthcheck", |view, _, _| {
        or_missing(container::of(view), |container| {
            Value::Bool(!container.healthcheck.is_empty() && is_check(view, container.healthcheck.as_bytes()))
        })
    }),
];

/// The path in the one hierarchy of version 2, which is that of every controller.
fn cgroup<'a>(view: &View<'a>) -> Option<&'a [u8]> {
    let path = view.observation.workload.as_ref()?.place.path.as_slice();
    (!path.is_empty()).then_some(path)
}

fn cgroups(path: &[u8], out: &mut Vec<u8>) {
    for (at, controller) in ["cpuset", "cpu", "cpuacct", "io", "memory"].into_iter().enumerate() {
        out.extend_from_slice(if at > 0 { b" " } else { b"" });
        out.extend_from_slice(controller.as_bytes());
        out.push(b'=');
        out.extend_from_slice(path);
    }
}

/// The process, or what started it, is the check: it has its command line, or a shell has it as its script.
fn is_check(view: &View<'_>, check: &[u8]) -> bool {
    let is = |exe: &[u8], arguments: &[Text]| {
        is_line(exe, arguments, check)
            || matches!(arguments, [option, script] if *option == "-c" && script.as_slice() == check)
    };
    let own = match (exe(view), arguments(view)) {
        (Value::Text(exe), Some(arguments)) => is(exe, arguments),
        _ => false,
    };
    own || view.ancestors().any(|process| match &*process.argv {
        [exe, arguments @ ..] => is(exe, arguments),
        [] => false,
    })
}

/// Whether the words, with a blank between them, are the line.
fn is_line(first: &[u8], words: &[Text], line: &[u8]) -> bool {
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    for word in words {
        let Some(behind) = rest.strip_prefix(b" ").and_then(|rest| rest.strip_prefix(word.as_slice())) else {
            return false;
        };
        rest = behind;
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_its_words() {
        let words: Vec<Text> = ["-f", "http://localhost"].map(Text::from).into();
        assert!(is_line(b"curl", &words, b"curl -f http://localhost"));
        assert!(is_line(b"curl", &[], b"curl"));
        for other in
            ["curl -f http://localhost/", "curl -f", "curl -f http://localhos", "xcurl -f http://localhost"]
        {
            assert!(!is_line(b"curl", &words, other.as_bytes()), "{other}");
        }
    }
}
