//! Facts about memory that can be run.

use sentinel_event::{Body, Kind};

use super::{ARGUMENT, Fact, KERNEL, process::path_flags, rows, some_bytes, some_number};
use crate::{Value, flags};

const MEMFD: &[Fact] = rows! { Data, &[Kind::MemfdCreate], Body::MemfdCreate(memfd) =>
    "name", "", "kernel; caller's memory on failure", "Name in /proc, without `memfd:`.", Some(Value::Bytes(&memfd.name));
    "flags", "", ARGUMENT, "`MFD_*`, `|` between them; `0` for none.", Some(Value::Flags(memfd.flags.into(), flags::MEMFD));
};

const MMAP: &[Fact] = rows! { Data, &[Kind::MmapExec], Body::MmapExec(mmap) =>
    "filename", "", KERNEL, "The mapped file. Absent for anonymous memory.", some_bytes(&mmap.path.bytes);
    "path_flags", "", KERNEL, "What is special about the path. Absent for nothing.", path_flags(mmap.path.flags);
    "ino", "", KERNEL, "Inode number of the file. Absent for anonymous memory.", some_number(mmap.ino);
    "addr", "hexadecimal", KERNEL, "Start of the mapping; what was asked for on failure.", Some(Value::Hex(mmap.addr));
    "length", "bytes", ARGUMENT, "Length.", Some(Value::U64(mmap.len));
    "prot", "", ARGUMENT, "`PROT_*`, `|` between them.", Some(Value::Flags(mmap.prot.into(), flags::PROT));
    "flags", "", ARGUMENT, "`MAP_*`, `|` between them.", Some(Value::Flags(mmap.flags.into(), flags::MAP));
};

const MPROTECT: &[Fact] = rows! { Data, &[Kind::MprotectExec], Body::MprotectExec(mprotect) =>
    "addr", "hexadecimal", ARGUMENT, "Start of the range.", Some(Value::Hex(mprotect.addr));
    "length", "bytes", ARGUMENT, "Length.", Some(Value::U64(mprotect.len));
    "prot", "", ARGUMENT, "`PROT_*`, `|` between them.", Some(Value::Flags(mprotect.prot.into(), flags::PROT));
};

pub(super) const FACTS: &[&[Fact]] = &[MEMFD, MMAP, MPROTECT];
