//! What libbpf warns of while it loads, for the error that follows. libbpf itself returns a number.

use std::cell::RefCell;

use libbpf_rs::PrintLevel;

/// Bytes of a message that are looked at: the verifier's log is megabytes, and says last why it gave up.
const TAIL: usize = 4096;

thread_local! {
    /// The verifier's last words to this thread.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Takes a message of libbpf's.
pub(crate) fn hear(level: PrintLevel, message: &str) {
    if level == PrintLevel::Warn
        && let Some(words) = last_words(message)
    {
        LAST.set(Some(words.to_owned()));
    }
}

/// The verifier's last words to this thread since it was asked before.
pub(crate) fn take() -> Option<String> {
    LAST.take()
}

/// Of a verifier's log as libbpf prints it; none in any other message. Counts come after them.
fn last_words(message: &str) -> Option<&str> {
    let tail = message.get(message.ceil_char_boundary(message.len().saturating_sub(TAIL))..)?;
    let (log, _) = tail.rsplit_once("-- END PROG LOAD LOG --")?;
    let counts = ["processed ", "verification time ", "stack depth "];
    log.lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty() && !counts.iter().any(|word| line.starts_with(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verifier_says_last_why_it_gave_up() {
        let log = |log: &str| {
            format!("libbpf: prog 'x': -- BEGIN PROG LOAD LOG --\n{log}-- END PROG LOAD LOG --\n")
        };
        let end = "processed 3 insns (limit 1000000) max_states_per_insn 0 total_states 0\n";
        let refused = log(&format!("0: R1=ctx() R10=fp0\n0: (79) r0 = *(u64 *)(r9 +0)\nR9 !read_ok\n{end}"));
        assert_eq!(last_words(&refused), Some("R9 !read_ok"));
        let long = log(&format!("{}\nthe reason\n{end}", "é".repeat(TAIL)));
        assert_eq!(last_words(&long), Some("the reason"));
        assert_eq!(last_words("libbpf: prog 'x': failed to load: -22\n"), None);
        hear(PrintLevel::Debug, &refused);
        assert_eq!(take(), None);
        hear(PrintLevel::Warn, &refused);
        assert_eq!((take().as_deref(), take()), (Some("R9 !read_ok"), None));
    }
}
