//! `docs/coverage.md`, written from the table of hooks.

use std::fmt::{self, Write as _};

use sentinel_event::Kind;

use crate::plan::{JOBS, Job, SILENT, Variant};

const INTRODUCTION: &str = "# What is seen, and how

Generated from `crates/probe/src/plan.rs` by `UPDATE=1 cargo test -p sentinel-probe coverage`; do not edit.

Every kind of event, the hooks it comes from, and what a process under attack, or an attacker in it, controls of what
the event tells. Of every event the header (who, when, which result) is the kernel's. *Caller's memory* is read when the
call has ended: another thread of the process may have rewritten it meanwhile. *Arguments* are what the caller passed,
and what the kernel used. What each field means is in [events](reference/events.md).

Needs: `tp_btf` since Linux 5.5, tracepoints of system calls everywhere; programs whose name ends in `_old` are those
for kernels before 5.17, which lose the top of paths of more than 24 components and never look at data (`capture.buffers`).
Before 5.11 it is not known of a program in which layer of an overlay it lies, where overlayfs is a module. `file_open_direct` takes the place of
`file_open` where the kernel lets functions of its own be traced (fact `fentry` of `sentinel doctor`; from 5.17 on). `sentinel
doctor --attached` shows what of this works on a machine.

Which file a *name* led to the kernel tells itself where it lets functions of its own be traced and has
`CONFIG_SECURITY_PATH` (facts `fentry` and `security_path`, from 5.17 on): the programs `used_…` note what it is about to
remove, move, make or change. The event of a call that succeeds has it as `used`, symbolic links followed, when that is
not the path that was asked for; rules are asked about both. The directory is walked at the end of the call: who moves it
in between is told with its new name, and has made an event of its own. Elsewhere, and for mounts everywhere, the programs
`entered_…` read the name once more as the call begins, when others share the memory: threads, or a parent that waits for
its vfork. Such an event is marked `name_shared`, and has what was read first as `entered` when that was another name of up
to 255 bytes; before 5.17 it is marked alone. Calls that fail are marked as well, since the kernel used nothing. Not noticed
is who rewrites a name through `ptrace`, `/proc/PID/mem`, `process_vm_writev` (events of their own) or a file that it has
mapped together with the caller.

What is done through io_uring gives the same events, under the number of the call that does the same, attributed to the
thread that submitted the request, or to the thread that submits for its process. Names are then the kernel's own
copies, taken at the submission together with the directory they are relative to, and nobody's to rewrite. The
descriptor that an open or an accept made is looked up when the request is done, when a later one of the same batch may
have replaced it: such events are always marked `shared`. Reads and writes know the file, not the descriptor (-1), and
so does every request about one of the ring's own files. A descriptor made of such a file (`FIXED_FD_INSTALL`) is a dup
of no descriptor (-1). A request that asks for no completion is told when it is submitted, as if it had succeeded
(result 0, no bytes), and again should it fail; which file or socket is looked up then, so that it is marked `shared`, and what a
request before it in a chain has yet to open is counted as lost. Needs Linux 6.2 (`io_uring` of `sentinel doctor`): before, the kernel does not say
which request has ended, or takes too long to verify the programs, and only `io_uring_setup` tells that a ring was made.

32-bit system calls of x86 (`int 0x80`, and all that 32-bit programs do) pass none of the tracepoints of single calls.
With `capture.compat: true` they give the same events, under the number of the call of 64 bits, from the same programs:
two more, `compat_enter` and `compat_exit`, look at every system call of the machine and hand these on. What
`socketcall` and the old `mmap` are given lies in caller's memory, the descriptor included: addresses and files are still the
kernel's, but marked `shared`. Without it, which is the default, they are a blind spot that `sentinel doctor` names, but
for what comes from `tp_btf` (starts and ends of processes, io_uring) or `file_open_direct`.

Not seen, of any kind: calls of x32 (where the kernel was told to take them), `file_open_direct` excepted; 32-bit calls on
arm64; what 32-bit `ipc` multiplexes. Through io_uring: reads, writes and messages whose completion found the queue full (each
completion that no other kind explains is counted as one that is lost); on a socket that is not connected the address of a
`SEND`, of a `RECVMSG` that completes many times, and of what is received without a completion. Of several reads or receipts under
way on one ring that complete many times, with one number (`user_data`), the last to be submitted is taken for all.

A program that is interrupted (`file_open_direct` and the `used_…` where the kernel preempts itself, tracepoints since 7.0)
is not run for another thread on that processor until it has come to its end. The kernel counts how often it passed one over:
these are losses at the stage `hook`, at most as many events, told within five seconds; before Linux 5.12 nobody counts them.

## Tamper evidence

Once a second one of the programs is asked to report a harmless act of the agent, one after the other, and links and
settings are compared with what they should be. An answer that has not come within 10 seconds although the ring had room
and the reader has read past the act, a link that has gone, settings that somebody has changed (they are put right), or
another process that has opened a map of ours by its number (`BPF_MAP_GET_FD_BY_ID`) or taken a descriptor of one out of
the agent (`pidfd_getfd`; the alert names process and maps, once for each process) is an alert on every output: `rule_id`
`sensor_tampering`, severity critical, risk 95. Our maps have no other name to open them by.
Not asked are those that note who opens maps (`guard…`) or what names lead to (`used_…`, `entered_…`), `file_open_handle`,
those that hand 32-bit calls on, the programs at `cgroup_mkdir` and `cgroup_rmdir` and for answers about names, and those of
io_uring: a ring that only a test needs would be one more thing in the agent to attack, and memory that the kernel shares
with it. Their links are looked at like all others.

## Events
";

/// What a process can forge of an event of this kind, or hide from it.
const fn controlled(kind: Kind) -> &'static str {
    match kind {
        Kind::Exec => "Arguments, by their creator. On failure the name: caller's memory.",
        Kind::Fork | Kind::Exit => "Nothing.",
        Kind::FileOpen => {
            "Nothing while descriptors are not shared; else the path is marked `shared` and `asked`, caller's memory, \
             is a second witness."
        }
        Kind::FileRead | Kind::FileWrite | Kind::FileClose => {
            "Nothing while descriptors are not shared; else the path is marked. Misses mmap and io_submit."
        }
        Kind::FileUnlink
        | Kind::FileRename
        | Kind::FileLink
        | Kind::FileMkdir
        | Kind::FileRmdir
        | Kind::FileMknod => {
            "Names, see above: nothing where the kernel tells what it used, else marked `name_shared`."
        }
        Kind::FileSymlink => {
            "The name, likewise. What it leads to, where that is longer than 255 bytes or the kernel does not tell: \
             caller's memory."
        }
        Kind::Umount => {
            "The name, as where the kernel does not tell: marked `name_shared` when others share the memory."
        }
        Kind::FileChmod | Kind::FileChown | Kind::FileTruncate => {
            "By name: the name, likewise. By descriptor: nothing, marked when shared."
        }
        Kind::Connect | Kind::Accept | Kind::Bind | Kind::Listen => {
            "Nothing: addresses are the socket's; marked when descriptors are shared. What was asked for is caller's \
             memory."
        }
        Kind::Send | Kind::Recv => {
            "The address of a socket that is not connected: caller's memory. Only the first message of a process, \
             socket and peer is told."
        }
        Kind::Dns => {
            "All of the answer: it is the word of whoever answered, from caller's memory. That it came from port 53 is the \
             kernel's word where the socket is connected."
        }
        Kind::Socket
        | Kind::Unshare
        | Kind::Userfaultfd
        | Kind::MprotectExec
        | Kind::Ptrace
        | Kind::Syscall => "Nothing: arguments are numbers.",
        Kind::Dup => "Nothing while descriptors are not shared.",
        Kind::Setns | Kind::MmapExec => "Nothing while descriptors are not shared.",
        Kind::MemfdCreate => "The name is the kernel's; on failure caller's memory.",
        Kind::Setuid | Kind::Capset => "Nothing. What exec of a set-uid program changes is told by the exec.",
        Kind::Prctl => "Nothing; a name that was set is the kernel's.",
        Kind::Signal => "Nothing; pids are as the caller's namespace counts them.",
        Kind::Mount => {
            "Names, likewise marked `name_shared` when others share the memory; the type of the file system: caller's memory."
        }
        Kind::Chroot => "Nothing on success; on failure the name: caller's memory.",
        Kind::Bpf => "Type and name of what is made: caller's memory.",
        Kind::ModuleLoad => "The file is the kernel's; parameters are caller's memory.",
        Kind::IoUringSetup => "All but the entries asked for: caller's memory.",
        Kind::ProcessVmWrite => "The address: caller's memory.",
        Kind::Loss => "Nothing: the agent tells it.",
    }
}

/// The text of the page, Markdown.
pub(crate) fn page() -> Result<String, fmt::Error> {
    let mut text = String::from(INTRODUCTION);
    writeln!(text, "\n| event | program | hooks | what an attacker controls |\n|---|---|---|---|")?;
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Loss) {
        let silent = |program: &str| SILENT.iter().any(|name| program.starts_with(name));
        let told = |job: &&Job| !job.variants.iter().any(|variant| silent(variant.program));
        let jobs: Vec<&Job> = JOBS.iter().filter(|job| job.kinds.contains(kind)).filter(told).collect();
        let now = |variant: &&Variant| !variant.program.ends_with("_old");
        let variants: Vec<&Variant> = jobs.iter().flat_map(|job| job.variants).filter(now).collect();
        let programs: Vec<String> = variants.iter().map(|variant| format!("`{}`", variant.program)).collect();
        let hooks: Vec<String> = variants
            .iter()
            .flat_map(|variant| variant.hooks)
            .map(|hook| format!("`{}`", hook.name().rsplit('/').next().unwrap_or_default()))
            .collect();
        let hooks = if hooks.is_empty() { "`sys_exit_*` of the call".to_owned() } else { hooks.join(" ") };
        writeln!(text, "| `{kind}` | {} | {hooks} | {} |", programs.join(" "), controlled(*kind))?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    use super::*;

    #[test]
    fn the_page_of_the_coverage_is_fresh() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/coverage.md");
        let text = page().unwrap();
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(written == text, "stale: run UPDATE=1 cargo test -p sentinel-probe coverage");
    }
}
