//! Memory that can be run.

use sentinel_event::{Body, Kind, MmapExec, MprotectExec};

use super::{
    Row,
    form::{flags32, hexadecimal, number, text},
    process::path_flags,
    table,
};
use crate::language::eval::names;

const MEMFD: &[Row] = table! { Data, &[Kind::MemfdCreate];
    "name", "fd.name evt.arg.name", "x", |draft, value| match &mut draft.body {
        Body::MemfdCreate(memfd) => text(value, &mut memfd.name),
        _ => None,
    };
    "flags", "evt.arg.flags", "MFD_CLOEXEC", |draft, value| match &mut draft.body {
        Body::MemfdCreate(memfd) => flags32(value, &[names::MEMFD], &mut memfd.flags),
        _ => None,
    };
};

const MAP: &[Row] = table! { Data, &[Kind::MmapExec];
    "filename", "fd.name fd.directory fd.filename", "/usr/lib/libc.so.6", |draft, value| text(value, &mut map(&mut draft.body)?.path.bytes);
    "path_flags", "", "deleted", |draft, value| path_flags(value, &mut map(&mut draft.body)?.path.flags);
    "ino", "", "77", |draft, value| number(value, &mut map(&mut draft.body)?.ino);
    "addr", "evt.arg.addr", "0x7f0000000000", |draft, value| {
        map(&mut draft.body)?.addr = hexadecimal(value)?;
        Some(())
    };
    "length", "evt.arg.length", "4096", |draft, value| number(value, &mut map(&mut draft.body)?.len);
    "prot", "evt.arg.prot", "PROT_READ|PROT_EXEC", |draft, value| flags32(value, &[names::PROT], &mut map(&mut draft.body)?.prot);
    "flags", "evt.arg.flags", "MAP_PRIVATE", |draft, value| flags32(value, &[names::MAP], &mut map(&mut draft.body)?.flags);
};

const PROTECT: &[Row] = table! { Data, &[Kind::MprotectExec];
    "addr", "evt.arg.addr", "0x7f0000000000", |draft, value| {
        protect(&mut draft.body)?.addr = hexadecimal(value)?;
        Some(())
    };
    "length", "evt.arg.length", "4096", |draft, value| number(value, &mut protect(&mut draft.body)?.len);
    "prot", "evt.arg.prot", "PROT_READ|PROT_EXEC", |draft, value| {
        flags32(value, &[names::PROT], &mut protect(&mut draft.body)?.prot)
    };
};

pub(super) const ROWS: &[&[Row]] = &[MEMFD, MAP, PROTECT];

fn map(body: &mut Body) -> Option<&mut MmapExec> {
    match body {
        Body::MmapExec(map) => Some(map),
        _ => None,
    }
}

fn protect(body: &mut Body) -> Option<&mut MprotectExec> {
    match body {
        Body::MprotectExec(protect) => Some(protect),
        _ => None,
    }
}
