//! Facts about who one is.

use sentinel_event::{Body, Kind};

use super::{ARGUMENT, Fact, KERNEL, attribute::id, rows};
use crate::Value;

const SETUID: &[Fact] = rows! { Data, &[Kind::Setuid], Body::Setuid(setuid) =>
    "old_uid", "", KERNEL, "Real user, before the call. Absent when not known.", setuid.before.map(|ids| Value::U64(ids.uid.into()));
    "old_euid", "", KERNEL, "Effective user, before the call. Absent when not known.", setuid.before.map(|ids| Value::U64(ids.euid.into()));
    "old_suid", "", KERNEL, "Saved user, before the call. Absent when not known.", setuid.before.map(|ids| Value::U64(ids.suid.into()));
    "old_fsuid", "", KERNEL, "User for access to files, before the call. Absent when not known.", setuid.before.map(|ids| Value::U64(ids.fsuid.into()));
    "old_gid", "", KERNEL, "Real group, before the call. Absent when not known.", setuid.before.map(|ids| Value::U64(ids.gid.into()));
    "old_egid", "", KERNEL, "Effective group, before the call. Absent when not known.", setuid.before.map(|ids| Value::U64(ids.egid.into()));
    "old_sgid", "", KERNEL, "Saved group, before the call. Absent when not known.", setuid.before.map(|ids| Value::U64(ids.sgid.into()));
    "old_fsgid", "", KERNEL, "Group for access to files, before the call. Absent when not known.", setuid.before.map(|ids| Value::U64(ids.fsgid.into()));
    "new_uid", "", KERNEL, "Real user, after the call.", Some(Value::U64(setuid.after.uid.into()));
    "new_euid", "", KERNEL, "Effective user, after the call.", Some(Value::U64(setuid.after.euid.into()));
    "new_suid", "", KERNEL, "Saved user, after the call.", Some(Value::U64(setuid.after.suid.into()));
    "new_fsuid", "", KERNEL, "User for access to files, after the call.", Some(Value::U64(setuid.after.fsuid.into()));
    "new_gid", "", KERNEL, "Real group, after the call.", Some(Value::U64(setuid.after.gid.into()));
    "new_egid", "", KERNEL, "Effective group, after the call.", Some(Value::U64(setuid.after.egid.into()));
    "new_sgid", "", KERNEL, "Saved group, after the call.", Some(Value::U64(setuid.after.sgid.into()));
    "new_fsgid", "", KERNEL, "Group for access to files, after the call.", Some(Value::U64(setuid.after.fsgid.into()));
    "old_effective", "hexadecimal", KERNEL, "Effective capabilities before the call, bit `CAP_*`. Absent when not known.", setuid.before.map(|ids| Value::Hex(ids.effective));
    "new_effective", "hexadecimal", KERNEL, "Effective capabilities after the call, bit `CAP_*`.", Some(Value::Hex(setuid.after.effective));
    "asked_0", "", ARGUMENT, "Argument 1; the call uses as many as it has. -1 leaves an id.", setuid.asked.first().map(|asked| id(*asked));
    "asked_1", "", ARGUMENT, "Argument 2; the call uses as many as it has. -1 leaves an id.", setuid.asked.get(1).map(|asked| id(*asked));
    "asked_2", "", ARGUMENT, "Argument 3; the call uses as many as it has. -1 leaves an id.", setuid.asked.get(2).map(|asked| id(*asked));
};

const CAPSET: &[Fact] = rows! { Data, &[Kind::Capset], Body::Capset(capset) =>
    "old_inheritable", "hexadecimal", KERNEL, "Inheritable capabilities before the call, bit `CAP_*`. Absent when not known.", capset.before.map(|ids| Value::Hex(ids.inheritable));
    "old_permitted", "hexadecimal", KERNEL, "Permitted capabilities before the call, bit `CAP_*`. Absent when not known.", capset.before.map(|ids| Value::Hex(ids.permitted));
    "old_effective", "hexadecimal", KERNEL, "Effective capabilities before the call, bit `CAP_*`. Absent when not known.", capset.before.map(|ids| Value::Hex(ids.effective));
    "new_inheritable", "hexadecimal", KERNEL, "Inheritable capabilities after the call, bit `CAP_*`.", Some(Value::Hex(capset.after.inheritable));
    "new_permitted", "hexadecimal", KERNEL, "Permitted capabilities after the call, bit `CAP_*`.", Some(Value::Hex(capset.after.permitted));
    "new_effective", "hexadecimal", KERNEL, "Effective capabilities after the call, bit `CAP_*`.", Some(Value::Hex(capset.after.effective));
};

pub(super) const FACTS: &[&[Fact]] = &[SETUID, CAPSET];
