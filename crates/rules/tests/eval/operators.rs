//! Every operator on every type of value, also on none.

use super::build::*;

#[test]
fn texts_are_compared_as_bytes() {
    check(
        &open("/etc/shadow", libc::O_RDONLY),
        &[
            ("fd.name = /etc/shadow", true),
            ("fd.name == /etc/passwd", false),
            ("fd.name != /etc/passwd", true),
            ("fd.name < val(proc.exepath)", true),
            ("fd.name >= val(proc.exepath)", false),
            ("fd.name contains c/sh", true),
            ("fd.name contains ETC", false),
            ("fd.name icontains ETC", true),
            ("fd.name startswith /etc/", true),
            ("fd.name startswith ''", true),
            ("fd.name endswith shadow", true),
            ("fd.name endswith shado", false),
            ("fd.name glob /e*/sh?dow", true),
            ("fd.name glob /etc", false),
            ("fd.name iglob /ETC/*", true),
            (r"fd.name regex '/etc/\\w+'", true),
            ("fd.name regex etc", false),
            ("fd.name in (/a, /etc/shadow)", true),
            ("fd.name in ()", false),
            ("fd.name intersects (/a, /etc/shadow)", true),
            ("fd.name pmatch (/etc)", true),
            ("fd.name pmatch (/et, /etc/shadow/x)", false),
            ("fd.name exists", true),
        ],
    );
}

#[test]
fn modifiers_say_for_how_many() {
    check(
        &open("/etc/shadow", libc::O_RDONLY),
        &[
            ("fd.name startswith anyof (/usr, /etc)", true),
            ("fd.name startswith anyof (/etc/shadow-, /etc/sh)", true),
            ("fd.name startswith anyof (/etc/a, /etc/z)", false),
            ("fd.name contains allof (etc, shadow)", true),
            ("fd.name contains allof (etc, passwd)", false),
            ("fd.name contains oneof (etc, passwd)", true),
            ("fd.name contains oneof (etc, shadow)", false),
            ("fd.name != allof (/a, /b)", true),
            ("fd.name != anyof (/etc/shadow, /b)", true),
            ("fd.name != allof (/etc/shadow, /b)", false),
            ("fd.name = anyof ()", false),
            ("fd.name = allof ()", false),
            ("fd.name = oneof ()", false),
        ],
    );
}

#[test]
fn numbers_times_and_truths_have_an_order_or_equality() {
    check(
        &open("/x", libc::O_RDWR),
        &[
            ("fd.num = 3", true),
            ("fd.num != 3", false),
            ("fd.num < 3", false),
            ("fd.num <= 3", true),
            ("fd.num > -1", true),
            ("fd.num>=0x3", true),
            ("fd.num in (1, 3)", true),
            ("fd.num = val(evt.rawres)", true),
            ("fd.num exists", true),
            ("user.uid = 1000", true),
            ("user.loginuid = -1", true),
            ("proc.duration = 9700000000", true),
            ("proc.duration <= 5000000000", false),
            ("evt.rawtime > 1600000000000000000", true),
            ("evt.is_open_write = true", true),
            ("evt.is_open_write != true", false),
            ("evt.is_open_write in (true, false)", true),
            ("evt.num >= 0", true),
            ("evt.num = 1", true),
            ("evt.num = 0", false),
            ("evt.num > 1", false),
        ],
    );
}

#[test]
fn a_missing_value_makes_every_comparison_false() {
    let mut orphan = open("/x", libc::O_RDONLY);
    orphan.ancestors = [].into();
    orphan.process = None;
    check(
        &orphan,
        &[
            ("proc.pname exists", false),
            ("proc.pname = bash", false),
            ("proc.pname != bash", false),
            ("proc.pname in (bash)", false),
            ("proc.pname intersects (bash)", false),
            ("proc.pname contains a", false),
            ("proc.pname startswith ''", false),
            ("proc.pname glob *", false),
            ("proc.pname regex '.*'", false),
            ("proc.pname pmatch (/)", false),
            ("proc.pname != allof (a)", false),
            ("proc.name = val(proc.pname)", false),
            ("proc.name != val(proc.pname)", false),
            ("toupper(proc.pname) != A", false),
            ("proc.aname = bash", false),
            ("proc.aname[2] != bash", false),
            ("proc.apid != 1", false),
            ("fd.sip != 1.2.3.4", false),
            ("fd.net != 1.2.3.0/24", false),
            ("fd.port != 1", false),
            ("proc.is_exe_from_memfd = false", false),
            ("container.image.repository != a", false),
            ("container.image.repository exists", false),
            ("evt.buffer bcontains cafe", false),
            ("fd.types intersects (file)", false),
        ],
    );
}

#[test]
fn one_ancestor_is_enough() {
    check(
        &open("/x", libc::O_RDONLY),
        &[
            ("proc.aname = sshd", true),
            ("proc.aname = cat", false),
            ("proc.aname in (init, bash)", true),
            ("proc.aname != bash", true),
            ("proc.aname startswith ss", true),
            ("proc.aname[0] = cat", true),
            ("proc.aname[1] = bash", true),
            ("proc.aname[2] = sshd", true),
            ("proc.aname[3] exists", false),
            ("proc.apid = 100", true),
            ("proc.apid[2] = 100", true),
            ("proc.apid > 100", true),
            ("proc.aexepath = /usr/sbin/sshd", true),
            ("proc.acmdline[2] = 'sshd -D'", true),
            ("proc.acmdline contains ' -D'", true),
        ],
    );
}

#[test]
fn either_end_is_enough_but_both_must_differ() {
    check(
        &connect("93.184.216.34", 443),
        &[
            ("fd.ip = 10.0.0.5", true),
            ("fd.ip = 93.184.216.34", true),
            ("fd.ip = 1.1.1.1", false),
            ("fd.ip != 10.0.0.5", false),
            ("fd.ip != 93.184.216.34", false),
            ("fd.ip != 1.1.1.1", true),
            ("fd.ip != ::1", true),
            ("fd.ip in (1.1.1.1, 10.0.0.5)", true),
            ("fd.port = 443", true),
            ("fd.port = 40000", true),
            ("fd.port != 443", false),
            ("fd.port > 39999", true),
            ("fd.port in (https)", true),
            ("fd.net = 10.0.0.0/8", true),
            ("fd.net != 10.0.0.0/8", false),
            ("fd.net != 127.0.0.0/8", true),
            ("fd.net in (127.0.0.0/8, 93.184.0.0/16)", true),
            ("fd.net = 0.0.0.0/0", true),
            ("fd.net = ::/0", false),
            ("fd.snet in (127.0.0.0/8, 93.184.216.0/24)", true),
            ("fd.cnet = 93.184.216.0/24", false),
            ("fd.sip = 93.184.216.34", true),
            ("fd.cip = 10.0.0.5", true),
            ("fd.sport = 443", true),
            ("fd.rport = 443 and fd.lport = 40000", true),
        ],
    );
    check(
        &connect("2606:4700::1111", 53),
        &[
            ("fd.snet = 2606:4700::/32", true),
            ("fd.snet = 0.0.0.0/0", false),
            ("fd.snet != 0.0.0.0/0", true),
            ("fd.typechar = 6", true),
            ("fd.name = 'fd00::5:40000->2606:4700::1111:53'", true),
        ],
    );
}

#[test]
fn a_text_that_is_no_utf8_meets_an_expression_with_replacement_characters() {
    let mut odd = open("/x", libc::O_RDONLY);
    let sentinel_event::Body::FileOpen(open) = &mut odd.event.body else { panic!() };
    open.path.bytes = b"/tmp/\xff.x".to_vec().into();
    check(
        &odd,
        &[
            (r"fd.name regex '/tmp/.\\.x'", true),
            (r"fd.name regex '/tmp/\\x{fffd}\\.x'", true),
            (r"fd.name regex '/tmp/\\.x'", false),
            (r#"fd.name endswith "\xff.x""#, true),
        ],
    );
}

#[test]
fn the_name_of_an_event_is_compared_like_any_text() {
    check(
        &open("/x", libc::O_RDONLY),
        &[
            ("evt.type = openat", true),
            ("evt.type != openat", false),
            ("evt.type in (open, openat)", true),
            ("evt.type startswith open", true),
            ("evt.type contains xec", false),
            ("evt.type exists", true),
            ("evt.dir = <", true),
            ("evt.dir = >", false),
        ],
    );
}
