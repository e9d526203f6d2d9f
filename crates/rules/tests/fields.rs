//! The fields of the stock rules are there, with their types.

use Argument::{No, Optional, Required};
use sentinel_rules::language::{ArgumentRule, Field, Type, Usage};

#[derive(Debug, PartialEq, Eq)]
enum Argument {
    No,
    Optional,
    Required,
}

/// Name, type, argument and use of the fields that Falco's own rules name.
const STOCK: &[(&str, Type, Argument, Usage)] = &[
    ("container.id", Type::Text, No, Usage::Any),
    ("container.image.repository", Type::Text, No, Usage::Any),
    ("container.mount.dest", Type::Text, Required, Usage::Any),
    ("container.mounts", Type::Text, No, Usage::Any),
    ("container.privileged", Type::Bool, No, Usage::Any),
    ("container.start_ts", Type::Time, No, Usage::Any),
    ("evt.arg.cmd", Type::Text, No, Usage::Any),
    ("evt.arg.domain", Type::Text, No, Usage::Any),
    ("evt.arg.fd", Type::Text, No, Usage::Any),
    ("evt.arg.filename", Type::Text, No, Usage::Any),
    ("evt.arg.flags", Type::Text, No, Usage::Any),
    ("evt.arg.linkpath", Type::Text, No, Usage::Any),
    ("evt.arg.mode", Type::Text, No, Usage::Any),
    ("evt.arg.name", Type::Text, No, Usage::Any),
    ("evt.arg.newpath", Type::Text, No, Usage::Any),
    ("evt.arg.oldpath", Type::Text, No, Usage::Any),
    ("evt.arg.path", Type::Text, No, Usage::Any),
    ("evt.arg.request", Type::Text, No, Usage::Any),
    ("evt.arg.target", Type::Text, No, Usage::Any),
    ("evt.arg.uid", Type::Text, No, Usage::Any),
    ("evt.args", Type::Text, No, Usage::Any),
    ("evt.buffer", Type::Bytes, No, Usage::Any),
    ("evt.is_open_exec", Type::Bool, No, Usage::Any),
    ("evt.is_open_read", Type::Bool, No, Usage::Any),
    ("evt.is_open_write", Type::Bool, No, Usage::Any),
    ("evt.num", Type::U64, No, Usage::Any),
    ("evt.rawres", Type::I64, No, Usage::Any),
    ("evt.res", Type::Text, No, Usage::Any),
    ("evt.type", Type::Text, No, Usage::Any),
    ("fd.cip", Type::Address, No, Usage::Any),
    ("fd.cip.name", Type::Text, No, Usage::Plain),
    ("fd.cnet", Type::Network, No, Usage::FilterOnly),
    ("fd.connected", Type::Bool, No, Usage::Any),
    ("fd.directory", Type::Text, No, Usage::Any),
    ("fd.filename", Type::Text, No, Usage::Any),
    ("fd.ip", Type::Address, No, Usage::FilterOnly),
    ("fd.l4proto", Type::Text, No, Usage::Any),
    ("fd.lip.name", Type::Text, No, Usage::Plain),
    ("fd.lport", Type::Port, No, Usage::Any),
    ("fd.name", Type::Text, No, Usage::Any),
    ("fd.name_changed", Type::Bool, No, Usage::Any),
    ("fd.nameraw", Type::Text, No, Usage::Any),
    ("fd.net", Type::Network, No, Usage::FilterOnly),
    ("fd.num", Type::I64, No, Usage::Any),
    ("fd.port", Type::Port, No, Usage::FilterOnly),
    ("fd.rip", Type::Address, No, Usage::Any),
    ("fd.rip.name", Type::Text, No, Usage::Plain),
    ("fd.rnet", Type::Network, No, Usage::FilterOnly),
    ("fd.rport", Type::Port, No, Usage::Any),
    ("fd.sip", Type::Address, No, Usage::Any),
    ("fd.sip.name", Type::Text, No, Usage::Plain),
    ("fd.snet", Type::Network, No, Usage::FilterOnly),
    ("fd.sockfamily", Type::Text, No, Usage::Any),
    ("fd.sport", Type::Port, No, Usage::Any),
    ("fd.type", Type::Text, No, Usage::Any),
    ("fd.typechar", Type::Text, No, Usage::Any),
    ("group.gid", Type::U32, No, Usage::Any),
    ("group.name", Type::Text, No, Usage::Any),
    ("k8s.ns.name", Type::Text, No, Usage::Any),
    ("k8s.pod.name", Type::Text, No, Usage::Any),
    ("proc.aexe", Type::Text, Optional, Usage::Plain),
    ("proc.aexepath", Type::Text, Optional, Usage::Plain),
    ("proc.aname", Type::Text, Optional, Usage::Plain),
    ("proc.args", Type::Text, Optional, Usage::Any),
    ("proc.cmdline", Type::Text, No, Usage::Any),
    ("proc.cwd", Type::Text, No, Usage::Any),
    ("proc.duration", Type::Duration, No, Usage::Any),
    ("proc.env", Type::Text, Optional, Usage::Any),
    ("proc.exe", Type::Text, No, Usage::Any),
    ("proc.exe_ino.ctime", Type::Time, No, Usage::Any),
    ("proc.exe_ino.ctime_duration_proc_start", Type::Duration, No, Usage::Any),
    ("proc.exe_ino.mtime", Type::Time, No, Usage::Any),
    ("proc.exepath", Type::Text, No, Usage::Any),
    ("proc.is_exe_from_memfd", Type::Bool, No, Usage::Any),
    ("proc.is_exe_upper_layer", Type::Bool, No, Usage::Any),
    ("proc.is_vpgid_leader", Type::Bool, No, Usage::Any),
    ("proc.name", Type::Text, No, Usage::Any),
    ("proc.pcmdline", Type::Text, No, Usage::Any),
    ("proc.pexe", Type::Text, No, Usage::Any),
    ("proc.pexepath", Type::Text, No, Usage::Any),
    ("proc.pname", Type::Text, No, Usage::Any),
    ("proc.sname", Type::Text, No, Usage::Any),
    ("proc.tty", Type::U32, No, Usage::Any),
    ("proc.vpid", Type::I64, No, Usage::Any),
    ("thread.cap_effective", Type::Text, No, Usage::Any),
    ("thread.cap_permitted", Type::Text, No, Usage::Any),
    ("user.loginname", Type::Text, No, Usage::Any),
    ("user.loginuid", Type::I64, No, Usage::Any),
    ("user.name", Type::Text, No, Usage::Any),
    ("user.uid", Type::U32, No, Usage::Any),
];

#[test]
fn the_table_has_the_fields_of_the_stock_rules() {
    assert_eq!(STOCK.len(), 90);
    for (name, ty, argument, usage) in STOCK {
        let (id, key) = Field::find(name).unwrap_or_else(|| panic!("{name} is missing"));
        let field = id.field();
        let rule = match field.argument {
            ArgumentRule::None => No,
            _ if key.is_some() => No,
            ArgumentRule::OptionalIndex | ArgumentRule::OptionalKey => Optional,
            ArgumentRule::Key | ArgumentRule::Parameter | ArgumentRule::Label => Required,
        };
        assert_eq!((field.ty, &rule, field.usage), (*ty, argument, *usage), "{name}");
        assert!(!field.list, "{name}");
    }
}

#[test]
fn every_field_is_documented_in_json() {
    let fields: Vec<_> = Field::all().collect();
    let json = serde_json::to_value(&fields).expect("JSON");
    let comm = json
        .as_array()
        .expect("an array")
        .iter()
        .find(|field| field["name"] == "proc.name")
        .expect("proc.name");
    assert_eq!(
        (&comm["type"], &comm["list"], &comm["argument"]),
        (&"string".into(), &false.into(), &"none".into())
    );
    assert!(fields.len() > 250, "{}", fields.len());
}
