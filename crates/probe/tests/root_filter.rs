//! Opens that nobody wants leave no record; what the set of paths holds always does. Needs root.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

mod harness;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use bstr::BString;
use harness::opener::{Bench, MARK, Opener, bench, reading, touch};
use sentinel_event::{Body, FileInterest};

#[test]
fn a_path_passes_by_its_beginning_a_name_or_its_end() {
    let mut bench = bench();
    let dir = bench.dir.join("classes");
    for file in [
        "in/f",
        "in/d/g",
        "pass",
        "passwd",
        "paws",
        "u/.ssh/id",
        "u/.sshd/id",
        "k/a.pem",
        "k/a.pen",
        "k/shadow",
    ] {
        touch(dir.join(file));
    }
    let long = format!("{}.very-long-suffix", "n".repeat(200));
    let other = format!("{}.othr-long-suffix", "n".repeat(200));
    touch(dir.join(&long));
    touch(dir.join(&other));
    let set = reading(
        &bench.dir,
        &["classes/in/", "classes/pass"],
        &[".ssh", "shadow", &"m".repeat(100)],
        &[".pem", ".very-long-suffix"],
    );
    bench.interest(&set);
    let mut opener = Opener::start();
    for (name, wanted) in [
        ("in/f", true),
        ("in/d/g", true),
        ("in", false),
        ("pass", true),
        ("passwd", true),
        ("paws", false),
        ("u/.ssh/id", true),
        ("u/.ssh", true),
        ("u/.sshd/id", false),
        ("k/a.pem", true),
        ("k/a.pen", false),
        ("k/shadow", true),
        (&long, true),
        (&other, false),
    ] {
        assert_eq!(bench.passes(&mut opener, 'r', dir.join(name)), wanted, "{name}");
    }
    assert!(!bench.passes(&mut opener, 'w', dir.join("in/f")), "only reading is wanted");
    assert!(!bench.passes(&mut opener, 't', dir.join("in/f")), "truncating is not reading");
}

#[test]
fn failed_opens_pass_when_they_are_wanted() {
    let mut bench = bench();
    let mut set = reading(&bench.dir, &["x"], &[], &[]);
    let (mut opener, none) = (Opener::start(), bench.dir.join("y/none"));
    bench.interest(&set);
    assert!(!bench.passes(&mut opener, 'r', &none));
    set.failed = true;
    bench.interest(&set);
    assert!(bench.passes(&mut opener, 'r', &none));
}

#[test]
fn modes_pass_whatever_the_path() {
    let mut bench = bench();
    let mut set = reading(&bench.dir, &["x"], &[], &[]);
    let (mut opener, new) = (Opener::start(), bench.dir.join("new"));
    bench.interest(&set);
    assert!(!bench.passes(&mut opener, 'n', &new));
    set.modes = 0o400;
    bench.interest(&set);
    assert!(bench.passes(&mut opener, 'n', &new));
    set.modes = 0o111;
    bench.interest(&set);
    assert!(!bench.passes(&mut opener, 'n', &new));
}

#[test]
fn who_shares_descriptors_passes_when_that_is_wanted() {
    let mut bench = bench();
    let mut set = reading(&bench.dir, &["x"], &[], &[]);
    touch(bench.dir.join("threads/f"));
    let opens = |bench: &mut Bench| {
        let script = "import sys, threading, time\n\
                      stop = threading.Event()\n\
                      thread = threading.Thread(target=stop.wait)\n\
                      thread.start()\n\
                      open(sys.argv[1])\n\
                      stop.set()\n\
                      thread.join()";
        let path = bench.dir.join("threads/f");
        assert!(Command::new("python3").args(["-c", script]).arg(&path).status().unwrap().success());
        // The ring is in order: the mark of another process comes after.
        let mut opener = Opener::start();
        bench.marks += 1;
        let mark = format!("{MARK}-{}", bench.marks);
        opener.tell('n', bench.dir.join(&mark));
        let (mut events, mut seen) = (Vec::new(), false);
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            bench.capture.reader.poll(&mut events).unwrap();
            for event in events.drain(..) {
                let Body::FileOpen(open) = event.body else { continue };
                seen |= open.path.bytes == path.as_os_str().as_encoded_bytes();
                if open.best().ends_with(mark.as_bytes()) {
                    return seen;
                }
            }
        }
        panic!("the mark did not come");
    };
    bench.interest(&set);
    assert!(!opens(&mut bench));
    set.unsure = true;
    bench.interest(&set);
    assert!(opens(&mut bench));
}

/// What a file is called when it is opened decides, whatever it was called before.
#[test]
fn renames_and_links_are_judged_by_the_path_that_is_opened() {
    let mut bench = bench();
    let dir = bench.dir.join("moves");
    for file in ["in/sub/f", "out/sub2/g"] {
        touch(dir.join(file));
    }
    fs::hard_link(dir.join("in/sub/f"), dir.join("out/hard")).unwrap();
    std::os::unix::fs::symlink(dir.join("in/sub/f"), dir.join("out/soft")).unwrap();
    let set = reading(&bench.dir, &["moves/in/"], &[], &[]);
    bench.interest(&set);
    let mut opener = Opener::start();
    let mut check = |name: &str, wanted: bool, why: &str| {
        assert_eq!(bench.passes(&mut opener, 'r', dir.join(name)), wanted, "{name}: {why}");
    };
    check("out/hard", false, "the path of the event is that of the link");
    check("out/soft", true, "the path of the event is that of the file");
    check("in/sub/f", true, "inside");
    check("out/sub2/g", false, "outside");
    for _ in 0..3 {
        fs::rename(dir.join("in/sub"), dir.join("out/sub")).unwrap();
        fs::rename(dir.join("out/sub2"), dir.join("in/sub2")).unwrap();
        check("out/sub/f", false, "moved out");
        check("in/sub2/g", true, "moved in");
        fs::rename(dir.join("out/sub"), dir.join("in/sub")).unwrap();
        fs::rename(dir.join("in/sub2"), dir.join("out/sub2")).unwrap();
        check("in/sub/f", true, "back inside");
        check("out/sub2/g", false, "back outside");
    }
    // A parent moves, and all that is below with it.
    fs::rename(dir.join("in"), dir.join("away")).unwrap();
    check("away/sub/f", false, "its parent has another name");
    fs::rename(dir.join("out"), dir.join("in")).unwrap();
    check("in/sub2/g", true, "its parent got the name");
}

#[test]
fn mounts_and_roots_are_judged_by_the_path_that_the_event_has() {
    let mut bench = bench();
    let dir = bench.dir.join("mounts");
    for file in ["in/e/f", "out/e/f", "bound/f", "jail/etc/f", "file"] {
        touch(dir.join(file));
    }
    let set = reading(&bench.dir, &["mounts/in/", "mounts/jail/etc/"], &[], &[]);
    bench.interest(&set);
    let mut opener = Opener::start();
    let mount = |from: &Path, to: &Path| {
        nix::mount::mount(Some(from), to, None::<&str>, nix::mount::MsFlags::MS_BIND, None::<&str>).unwrap();
    };
    let mut check = |name: &str, wanted: bool, why: &str| {
        assert_eq!(bench.passes(&mut opener, 'r', dir.join(name)), wanted, "{name}: {why}");
    };
    check("bound/f", false, "before a mount");
    mount(&dir.join("in/e"), &dir.join("bound"));
    check("bound/f", false, "by the name it is reached by");
    check("in/e/f", true, "the same file where it is");
    nix::mount::umount(&dir.join("bound")).unwrap();
    mount(&dir.join("out/e"), &dir.join("in/e"));
    check("in/e/f", true, "a file from outside below a wanted name");
    mount(&dir.join("file"), &dir.join("in/e/f"));
    check("in/e/f", true, "a file bound by itself");
    nix::mount::umount(&dir.join("in/e/f")).unwrap();
    nix::mount::umount(&dir.join("in/e")).unwrap();
    check("out/e/f", false, "where it is");
    opener.tell('c', dir.join("jail"));
    // The mark is out of its reach: its own root has none.
    drop(opener);

    let script = "import os,sys\nos.chroot(sys.argv[1])\nos.chdir('/')\nopen('/etc/f')\nopen('/etc/f')";
    let mut events = Vec::new();
    assert!(Command::new("python3").args(["-c", script]).arg(dir.join("jail")).status().unwrap().success());
    let path = dir.join("jail/etc/f");
    let mut seen = 0;
    let deadline = Instant::now() + Duration::from_secs(30);
    while seen < 2 && Instant::now() < deadline {
        bench.capture.reader.poll(&mut events).unwrap();
        seen += events
            .drain(..)
            .filter(|event| matches!(&event.body, Body::FileOpen(open) if open.path.bytes == path.as_os_str().as_encoded_bytes()))
            .count();
    }
    assert_eq!(seen, 2, "from inside a root of its own, the host's path");
}

#[test]
fn another_set_is_in_force_at_once() {
    let mut bench = bench();
    let dir = bench.dir.join("change");
    touch(dir.join("a/f"));
    let mut opener = Opener::start();
    for round in 0..4 {
        let set = reading(&bench.dir, &[if round % 2 == 0 { "change/a" } else { "change/b" }], &[], &[]);
        bench.interest(&set);
        assert_eq!(bench.passes(&mut opener, 'r', dir.join("a/f")), round % 2 == 0, "{round}");
    }
    bench.interest(&FileInterest::all());
    assert!(bench.passes(&mut opener, 'r', dir.join("a/f")));
}

#[test]
fn a_known_directory_costs_no_ring_space() {
    let mut bench = bench();
    let dir = bench.dir.join("known");
    for file in ["f", "g.pem"] {
        touch(dir.join(file));
    }
    let set = reading(&bench.dir, &["known/x"], &["shadow"], &[".pom"]);
    bench.interest(&set);
    let mut opener = Opener::start();
    assert!(!bench.passes(&mut opener, 'r', dir.join("f")));
    let before = bench.counts();
    for _ in 0..500 {
        opener.tell('r', dir.join("f"));
        opener.tell('r', dir.join("g.pem"));
    }
    // Nobody polls: what is counted now, the kernel has counted.
    let deadline = Instant::now() + Duration::from_secs(30);
    while bench.counts().filtered < before.filtered + 1000 && Instant::now() < deadline {
        std::thread::yield_now();
    }
    assert!(bench.counts().filtered >= before.filtered + 1000);
    assert!(bench.opened(&mut opener).is_empty());
}

/// Random trees and random sets: exactly what the set holds is delivered, and all is accounted for.
#[test]
fn what_passes_is_what_the_set_holds() {
    let mut bench = bench();
    let mut seed: u64 = 0x2545_f491_4f6c_dd1d;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    };
    const NAMES: [&str; 9] = ["a", "ab", "abc", ".ssh", "x.pem", "b.key", "shadow", "lib", "a b\u{1}"];
    for round in 0..4 {
        let top = format!("random-{round}");
        let mut pick = |from: &[&str]| from[random(from.len())].to_owned();
        let mut paths: Vec<String> = (0..80)
            .map(|n| {
                let dirs: Vec<String> = (0..n % 6).map(|_| format!("d{}", pick(&NAMES))).collect();
                format!("{top}/{}/{}", dirs.join("/"), pick(&NAMES)).replace("//", "/")
            })
            .collect();
        paths.sort();
        paths.dedup();
        let prefixes: Vec<String> = (0..3)
            .map(|_| {
                let path = &paths[random(paths.len())];
                path[..top.len() + 1 + random(path.len() - top.len())].trim_end().to_owned()
            })
            .filter(|prefix| prefix.is_char_boundary(prefix.len()))
            .collect();
        let prefixes: Vec<&str> = prefixes.iter().map(String::as_str).collect();
        let mut pick = |from: &[&'static str]| from[random(from.len())];
        let set = reading(
            &bench.dir,
            &prefixes,
            &[pick(&["ab", ".ssh", "shadow"]), pick(&["dlib", "da", "dab"])],
            &[pick(&[".pem", ".key", "bc"])],
        );
        let files: Vec<PathBuf> = paths.iter().map(|path| bench.dir.join(path)).collect();
        for file in &files {
            touch(file);
        }
        bench.interest(&set);
        let mut opener = Opener::start();
        assert!(bench.opened(&mut opener).is_empty());
        for pass in ["unknown", "known"] {
            let before = bench.counts();
            for file in &files {
                opener.tell('r', file);
            }
            let got: Vec<BString> =
                bench.opened(&mut opener).into_iter().map(|open| open.path.bytes).collect();
            let want: Vec<BString> = files
                .iter()
                .map(|file| BString::from(file.as_os_str().as_encoded_bytes()))
                .filter(|path| set.reading.holds(path))
                .collect();
            assert_eq!(got, want, "{pass}: {set:?}");
            let after = bench.counts();
            assert_eq!(after.lost, before.lost);
            let filtered = after.filtered - before.filtered;
            assert!(filtered >= (files.len() - want.len()) as u64, "{pass}: {filtered}");
        }
    }
}
