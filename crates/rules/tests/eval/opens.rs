//! Random conditions about opens of files, and random opens.

use proptest::{prelude::*, sample::select};
use sentinel_event::{Body, FileOpen, Observation, Path, PathFlags, UserPath};
use sentinel_rules::language::RuleSet;

use super::build;

const PATHS: &[&str] = &[
    "/",
    "/etc",
    "/etc/shadow",
    "/etc/shadow-",
    "/etcetera",
    "/etc/ssh/ssh_host_rsa_key",
    "/etc/pam.d/pam_x.so",
    "/home/u/.ssh/id_rsa",
    "/home/u/.ssh/id_rsa.pub",
    "/home/.ssh",
    "/root/.ssh/id_rsa",
    "/root/.aws/credentials",
    "/srv/credentials",
    "/root/.bash_history",
    "/var/log/syslog",
    "/var/log",
    "/usr/lib/libc.so.6",
    "/proc/1/environ",
    "/tmp/a/../b",
    "/x[a]y/*",
    "/dev/shm/.s\\h",
];

/// Beginnings, ends and middles of paths, and patterns.
const PIECES: &[&str] = &[
    "/",
    "",
    "/etc",
    "/etc/",
    "etc",
    "/etc/sha",
    "shadow",
    "w",
    "ssh",
    "/.ssh/",
    ".ssh",
    "/.ssh",
    ".ssh/id_rsa",
    "/.ssh/id_rsa",
    "/home/*/.ssh/id_*",
    "/home/u",
    "*/.ssh/*",
    "*_history",
    "/var/log",
    "/var/l*/sys?og",
    "*.so",
    "pam_*.so",
    "/.aws/credentials",
    "credentials",
    "/root/.aws",
    ".so.6",
    "id_*",
    "/proc/*/environ",
    "environ",
    "[/]etc/shadow",
    "/[e]tc/*",
    "{/etc}",
    "/dev/shm/.s\\\\h",
    "*[a]y/*",
    "ssh/",
    "/*",
    "?etc*",
    "/home/*/.ssh",
    "/var/*",
    "u/.ssh",
    ".b",
    "/tmp/a/..",
];

fn piece() -> impl Strategy<Value = String> {
    let part = (select(PATHS), 0_usize..24, 0_usize..24).prop_map(|(path, from, to)| {
        let (from, to) = (from.min(path.len()), to.min(path.len()));
        path.get(from.min(to)..from.max(to)).unwrap_or_default().trim_end_matches('\\').replace('\\', "\\\\")
    });
    prop_oneof![
        5 => select(PIECES).prop_map(str::to_owned),
        2 => select(PATHS).prop_map(|path| path.replace('\\', "\\\\")),
        2 => part
    ]
}

fn quoted() -> impl Strategy<Value = String> {
    piece().prop_map(|piece| format!("\"{piece}\""))
}

/// A comparison of the path.
fn of_path() -> impl Strategy<Value = String> {
    let terms = vec![
        "fd.name",
        "fd.name",
        "fd.name",
        "fs.path.name",
        "evt.arg.name",
        "evt.abspath",
        "fd.directory",
        "fd.filename",
        "basename(fd.name)",
        "tolower(fd.name)",
        "basename(fd.filename)",
        "fd.nameraw",
        "evt.args",
        "fd.containername",
    ];
    let one = vec![
        "= X",
        "== X",
        "!= X",
        "contains X",
        "icontains X",
        "startswith X",
        "endswith X",
        "glob X",
        "iglob X",
        "< X",
        ">= X",
    ];
    let many = vec![
        "in (L)",
        "intersects (L)",
        "pmatch (L)",
        "in (L)",
        "pmatch (L)",
        "= anyof (L)",
        "contains allof (L)",
        "startswith anyof (L)",
        "startswith oneof (L)",
        "endswith oneof (L)",
        "glob allof (L)",
        "endswith allof (L)",
        "!= allof (L)",
        "!= anyof (L)",
    ];
    let forms =
        terms.iter().flat_map(|term| one.iter().chain(&many).map(move |form| format!("{term} {form}")));
    // Not every field goes with every operator.
    let forms: Vec<String> = forms.filter(|form| loads(&form.replace(['L', 'X'], "/x"))).collect();
    assert!(forms.len() > 200, "{forms:?}");
    let list = prop::collection::vec(quoted(), 0..4).prop_map(|list| list.join(", "));
    (select(forms), quoted(), list)
        .prop_map(|(form, text, list)| form.replace('X', &text).replace("(L)", &format!("({list})")))
}

/// What else conditions say of opens.
const OTHERS: &[&str] = &[
    "evt.is_open_write = true",
    "evt.is_open_read = true",
    "evt.is_open_write = false",
    "evt.is_open_read != true",
    "evt.is_open_create = true",
    "evt.is_open_exec = true",
    "evt.type = creat",
    "evt.type in (open, openat, openat2)",
    "evt.type != openat",
    "evt.type startswith open",
    "fd.num >= 0",
    "fd.num < 0",
    "fd.num = -1",
    "fd.num != -1",
    "fd.num > 3",
    "fd.num in (-1, 3)",
    "evt.rawres >= 0",
    "evt.rawres < 0",
    "evt.rawres = -2",
    "evt.failed = true",
    "evt.res = SUCCESS",
    "evt.res != SUCCESS",
    "evt.res in (ENOENT, EACCES)",
    "fd.typechar = f",
    "fd.typechar in (4, 6, d)",
    "fd.type = file",
    "fd.type exists",
    "fd.sport exists",
    "fd.sip = 10.0.0.1",
    "fd.nameraw exists",
    "fd.nameraw contains ../",
    "evt.arg.flags contains O_TRUNC",
    "evt.arg.flags contains O_CREAT",
    "evt.arg.flags contains O_F_CREATED",
    "evt.arg.flags icontains o_rdwr",
    "evt.arg.flags contains anyof (O_RDWR, O_RDONLY)",
    "evt.arg.flags = O_RDONLY",
    "evt.arg.mode contains S_ISUID",
    "evt.arg.mode contains S_ISGID",
    "evt.arg.mode contains S_ISVTX",
    "evt.arg.mode = S_ISUID",
    "evt.category = file",
    "evt.is_io = true",
    "proc.name = cat",
    "proc.name = sshd",
    "fd.name exists",
    "evt.arg.newpath exists",
    "fd.name = val(fs.path.name)",
    "container.name.x exists",
];

pub(crate) fn condition() -> impl Strategy<Value = String> {
    let others: Vec<&str> = OTHERS.iter().copied().filter(|condition| loads(condition)).collect();
    assert!(
        others.len() + 1 >= OTHERS.len(),
        "{:?}",
        OTHERS.iter().filter(|one| !loads(one)).collect::<Vec<_>>()
    );
    let leaf = prop_oneof![3 => of_path(), 2 => select(others).prop_map(str::to_owned)];
    leaf.prop_recursive(4, 12, 4, |inner| {
        let joined = |word: &'static str, inner: BoxedStrategy<String>| {
            prop::collection::vec(inner, 2..4).prop_map(move |parts| format!("({})", parts.join(word)))
        };
        prop_oneof![
            3 => joined(" and ", inner.clone().boxed()),
            3 => joined(" or ", inner.clone().boxed()),
            1 => inner.prop_map(|part| format!("(not {part})")),
        ]
    })
}

pub(crate) fn rule(condition: &str) -> String {
    format!("- rule: r\n  desc: d\n  output: o\n  priority: INFO\n  condition: >\n    {condition}\n")
}

fn loads(condition: &str) -> bool {
    RuleSet::load(&[("f.yaml", &rule(condition))]).1.is_some()
}

/// Opens that the probe can tell of.
pub(crate) fn open() -> impl Strategy<Value = Observation> {
    let flag =
        |bit: i32| prop::bool::weighted(0.2).prop_map(move |set| if set { bit.cast_unsigned() } else { 0 });
    let flags = (
        select(vec![libc::O_RDONLY, libc::O_WRONLY, libc::O_RDWR, libc::O_ACCMODE]),
        flag(libc::O_CREAT),
        flag(libc::O_TRUNC),
        flag(libc::O_DIRECTORY),
        flag(libc::O_TMPFILE),
    );
    let flags = flags.prop_map(|(mode, create, cut, directory, unnamed)| {
        mode.cast_unsigned() | create | cut | directory | unnamed
    });
    let calls = select(vec![libc::SYS_openat, libc::SYS_openat2, libc::SYS_open, libc::SYS_creat]);
    let mode = select(vec![0_u32, 0o644, 0o4755, 0o2755, 0o1777]);
    let result = select(vec![0_i64, 3, 7, -1, -2, -13]);
    let numbers = (flags, calls, mode, result, any::<bool>(), any::<bool>(), select(vec!["cat", "sshd"]));
    (select(PATHS), select(PATHS), prop::bool::weighted(0.2), numbers).prop_map(
        |(path, other, nothing, (flags, call, mode, result, shared, created, name))| {
            let mut made = build::called(build::open(path, 0), name);
            let flags = if call == libc::SYS_creat {
                (libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC).cast_unsigned()
            } else {
                flags
            };
            made.event.head.syscall = build::call(call);
            made.event.head.result = result;
            let found = result >= 0 && !nothing;
            let asked = if found && !shared { UserPath::default() } else { build::asked(other, other) };
            made.event.body = Body::FileOpen(FileOpen {
                path: Path {
                    bytes: if found { path.into() } else { "".into() },
                    flags: if found && shared { PathFlags::SHARED } else { PathFlags::default() },
                },
                asked,
                flags,
                mode,
                created: found && created && flags & libc::O_CREAT.cast_unsigned() != 0,
                ..FileOpen::default()
            });
            made
        },
    )
}
