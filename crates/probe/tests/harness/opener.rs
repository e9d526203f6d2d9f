//! A process that opens files, and the probe that sees it.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use bstr::BString;
use sentinel_event::{Body, Event, FileInterest, FileOpen, Kind, KindSet, PathClasses, PathSet};
use sentinel_probe::{KindCounters, Options};

use super::Capture;

/// Opens what it is told to, in a process whose table of descriptors nobody shares. `r`, `w` or `n` (new file), then
/// the name; `c` changes the root. Answers by opening its mark, which every set of paths here holds.
const OPENER: &str = r"
import os, sys
flags = {'r': os.O_RDONLY, 'w': os.O_WRONLY, 'n': os.O_WRONLY | os.O_CREAT, 't': os.O_RDONLY | os.O_TRUNC}
for line in sys.stdin.buffer:
    how, name = line[:1].decode(), line[1:-1]
    if how == 'c':
        os.chroot(name)
        os.chdir('/')
        continue
    try:
        os.close(os.open(name, flags[how], 0o600))
    except OSError:
        pass
";
pub const MARK: &str = "sentinel-filter-mark";

pub struct Bench {
    pub capture: Capture,
    pub dir: PathBuf,
    pub marks: u32,
}

/// One probe for all tests, one at a time.
pub fn bench() -> MutexGuard<'static, Bench> {
    static SHARED: OnceLock<Mutex<Bench>> = OnceLock::new();
    SHARED
        .get_or_init(|| {
            let kinds = [Kind::FileOpen].into_iter().collect::<KindSet>();
            let capture = Capture::load(&Options { kinds, ring_bytes: 16 << 20, ..Options::default() });
            // Not on a mount of its own: what is above it has a say.
            let dir = tempfile::tempdir().unwrap().keep().canonicalize().unwrap();
            Mutex::new(Bench { capture, dir, marks: 0 })
        })
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

pub struct Opener {
    pub child: Child,
    stdin: ChildStdin,
}

impl Opener {
    pub fn start() -> Self {
        let mut child = Command::new("python3").args(["-c", OPENER]).stdin(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        Self { child, stdin }
    }

    pub fn tell(&mut self, how: char, path: impl AsRef<Path>) {
        let mut line = how.to_string().into_bytes();
        line.extend_from_slice(path.as_ref().as_os_str().as_encoded_bytes());
        line.push(b'\n');
        self.stdin.write_all(&line).unwrap();
    }
}

impl Drop for Opener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Bench {
    pub fn interest(&mut self, interest: &FileInterest) {
        self.capture.probe.set_file_interest(interest).unwrap();
    }

    /// Paths below the directory that `opener` has opened according to the events, until a new mark.
    pub fn opened(&mut self, opener: &mut Opener) -> Vec<FileOpen> {
        self.marks += 1;
        let mark = format!("{MARK}-{}", self.marks);
        opener.tell('n', self.dir.join(&mark));
        let tgid = opener.child.id();
        let deadline = Instant::now() + Duration::from_secs(30);
        let (mut events, mut found) = (Vec::new(), Vec::new());
        while Instant::now() < deadline {
            self.capture.reader.poll(&mut events).unwrap();
            for Event { head, body } in events.drain(..).filter(|event| event.head.process.tgid == tgid) {
                let Body::FileOpen(open) = body else { continue };
                if open.best().ends_with(mark.as_bytes()) {
                    return found;
                }
                if open.best().starts_with(self.dir.as_os_str().as_encoded_bytes()) || head.failed() {
                    found.push(open);
                }
            }
        }
        panic!("the mark did not come");
    }

    /// Whether an open of `path` is an event: the first time, and again when the kernel's side knows the directory.
    pub fn passes(&mut self, opener: &mut Opener, how: char, path: impl AsRef<Path>) -> bool {
        let mut twice = [false; 2];
        for passed in &mut twice {
            let before = self.counts();
            opener.tell(how, &path);
            *passed = !self.opened(opener).is_empty();
            assert!(*passed || self.counts().filtered > before.filtered);
        }
        assert_eq!(twice[0], twice[1], "{:?}", path.as_ref());
        twice[0]
    }

    pub fn counts(&self) -> KindCounters {
        let counters = self.capture.probe.counters().unwrap();
        *counters.kinds.iter().find(|counts| counts.kind == Kind::FileOpen).unwrap()
    }
}

pub fn strings(texts: &[&str]) -> Vec<BString> {
    texts.iter().map(|text| BString::from(*text)).collect()
}

/// Of reading what is named, of writing nothing but the marks.
pub fn reading(dir: &Path, prefixes: &[&str], names: &[&str], suffixes: &[&str]) -> FileInterest {
    let below = |text: &&str| BString::from(format!("{}/{text}", dir.display()));
    FileInterest {
        reading: PathSet::Some(PathClasses {
            prefixes: prefixes.iter().map(below).collect(),
            names: strings(names),
            suffixes: strings(suffixes),
        }),
        writing: PathSet::Some(PathClasses { prefixes: vec![below(&MARK)], ..PathClasses::default() }),
        ..FileInterest::default()
    }
}

pub fn touch(path: impl AsRef<Path>) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    fs::write(path, "").unwrap();
}
