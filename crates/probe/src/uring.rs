//! What the tracepoints of io_uring tell: their arguments differ from kernel to kernel.

use libbpf_rs::btf::{
    Btf, BtfType,
    types::{Func, FuncProto},
};

/// What `io_uring_complete` tells of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Completion {
    /// The request and the entry of the queue: 6.16 or so.
    Entry,
    /// The request and the result: 5.19.
    Result,
    /// Not which request it was.
    Anonymous,
    /// There is no io_uring.
    Absent,
}

impl Completion {
    /// As many arguments the tracepoint has, the one of the tracer included.
    fn of(arguments: Option<usize>) -> Self {
        match arguments {
            None => Self::Absent,
            Some(4) => Self::Entry,
            Some(7..) => Self::Result,
            Some(_) => Self::Anonymous,
        }
    }
}

/// How many arguments a tracepoint hands on, its own included; none when there is no such tracepoint.
fn arguments(btf: &Btf<'_>, tracepoint: &str) -> Option<usize> {
    let pointer = btf.type_by_name::<BtfType<'_>>(&format!("btf_trace_{tracepoint}"))?.next_type()?;
    FuncProto::try_from(pointer.next_type()?).ok().map(|prototype| prototype.len())
}

/// Whether requests can be followed from their submission to their end, and what was found.
pub(crate) fn followed() -> (bool, String) {
    let btf = match Btf::from_vmlinux() {
        Ok(btf) => btf,
        Err(error) => return (false, format!("{error:#}")),
    };
    match Completion::of(arguments(&btf, "io_uring_complete")) {
        Completion::Absent => (false, "this kernel has no io_uring: nothing is missed".into()),
        Completion::Anonymous => (false, "io_uring_complete does not say which request has ended".into()),
        // Seen on 6.1: what checks the programs did not come to an end in ten minutes.
        _ if btf.type_by_name::<Func<'_>>("bpf_rdonly_cast").is_none() => {
            (false, "without bpf_rdonly_cast the kernel takes too long to verify the programs".into())
        }
        // The submission tells the request before its end does.
        Completion::Entry | Completion::Result => (true, String::new()),
    }
}

/// Whether a completion comes as an entry of the queue.
pub(crate) fn tells_entry() -> (bool, String) {
    let found = Btf::from_vmlinux().map(|btf| Completion::of(arguments(&btf, "io_uring_complete")));
    (found.is_ok_and(|found| found == Completion::Entry), String::new())
}

/// Whether a submission is told by its newer tracepoint.
pub(crate) fn submit_req() -> (bool, String) {
    let found = Btf::from_vmlinux().is_ok_and(|btf| arguments(&btf, "io_uring_submit_req").is_some());
    (found, String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_tell_the_kernel() {
        for (arguments, completion) in [
            (None, Completion::Absent),
            (Some(5), Completion::Anonymous), // 5.10
            (Some(8), Completion::Result),    // 6.1, 6.12
            (Some(4), Completion::Entry),     // 6.18, 7.3
        ] {
            assert_eq!(Completion::of(arguments), completion);
        }
    }
}
