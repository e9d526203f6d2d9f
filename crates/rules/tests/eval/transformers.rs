//! Transformers.

use super::build::*;

#[test]
fn every_transformer_does_what_its_name_says() {
    let mut start = exec("tar", &["tar", "-czf", "Out.TGZ", "-v", "-Cdir", "x"]);
    start.event.head.syscall = call(libc::SYS_execve);
    check(
        &start,
        &[
            ("toupper(proc.name) = TAR", true),
            ("tolower(proc.args) contains out.tgz", true),
            ("tolower(toupper(proc.name)) = tar", true),
            ("basename(proc.exepath) = tar", true),
            ("basename(proc.cwd) = ''", true),
            ("basename(tolower(proc.exepath)) = tar", true),
            ("len(proc.name) = 3", true),
            ("len(proc.exepath) > 12", false),
            ("len(tolower(proc.exepath)) = 12", true),
            (r#"concat(proc.name, ":", proc.pname) = tar:bash"#, true),
            (r#"concat(proc.name, toupper(proc.name), tolower(proc.name)) = tarTARtar"#, true),
            (r#"concat(proc.name, container.image.id) exists"#, false),
            (r#"join(",", proc.args) = "-czf,Out.TGZ,-v,-Cdir,x""#, true),
            (r#"join("-", (proc.name, proc.pname)) = tar-bash"#, true),
            (r#"getopt(proc.args, "czf:vC:") in (c, z, f, Out.TGZ, v, C, dir)"#, true),
            (r#"getopt(proc.args, "czf:vC:") in (c, z, f)"#, false),
            (r#"getopt(proc.args, "czf:vC:") intersects (v)"#, true),
            (r#"len(getopt(proc.args, "czf:vC:")) = 7"#, true),
            (r#"getopt(proc.args, "czf:vC:")[f] = Out.TGZ"#, true),
            (r#"getopt(proc.args, "czf:vC:")[C] = dir"#, true),
            (r#"getopt(proc.args, "czf:vC:")[v] = v"#, true),
            (r#"getopt(proc.args, "czf:vC:")[x] exists"#, false),
            (r#"getopt(proc.args, "cf:") intersects ("?")"#, true),
            ("proc.name = val(proc.aname)", false),
        ]
        .into_iter()
        .filter(|(condition, _)| !condition.contains("val("))
        .collect::<Vec<_>>(),
    );
    check(
        &start,
        &[
            ("proc.name = val(proc.name)", true),
            ("proc.exepath endswith val(proc.name)", true),
            ("proc.exepath glob val(proc.exepath)", true),
            ("proc.name = tolower(proc.name)", true),
            ("proc.exepath contains basename(proc.exepath)", true),
            ("proc.pname != val(proc.name)", true),
            ("fd.num = val(evt.rawres)", false),
        ],
    );
}

#[test]
fn base64_is_decoded_with_and_without_padding() {
    for (text, decoded) in [
        ("cGFzc3dk", Some("passwd")),
        ("YQ==", Some("a")),
        ("YQ", Some("a")),
        ("YWI=", Some("ab")),
        ("YWI", Some("ab")),
        ("", Some("")),
        ("Y", None),
        ("YQ=", None),
        ("Y!Q=", None),
        ("====", None),
    ] {
        let start = exec("sh", &["sh", text]);
        let expected = decoded.is_some();
        check(&start, &[("b64(proc.args[0]) exists", expected)]);
        if let Some(decoded) = decoded {
            check(&start, &[(&format!("b64(proc.args[0]) = '{decoded}'"), true)]);
        }
    }
}

#[test]
fn options_end_where_posix_ends_them() {
    for (argv, count) in [
        (&["x", "-a", "--", "-b"][..], 1),
        (&["x", "--long", "-ab"], 2),
        (&["x", "word", "-a"], 0),
        (&["x", "-o"], 2),
        (&["x", "-"], 0),
        (&["x"], 0),
    ] {
        let start = exec("x", argv);
        check(&start, &[(&format!(r#"len(getopt(proc.args, "abo:")) = {count}"#), true)]);
    }
    check(&exec("x", &["x", "-o"]), &[(r#"getopt(proc.args, "abo:")[o] = """#, true)]);
}
