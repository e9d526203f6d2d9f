//! Who one is.

use sentinel_event::{Body, Capset, Credentials, Kind, Setuid};

use super::{
    Row,
    form::{hexadecimal, id, number},
    table,
};

const SETUID: &[Row] = table! { Data, &[Kind::Setuid];
    "old_uid", "", "1000", |draft, value| number(value, &mut before(setuid(&mut draft.body)?).uid);
    "old_euid", "", "1000", |draft, value| number(value, &mut before(setuid(&mut draft.body)?).euid);
    "old_suid", "", "1000", |draft, value| number(value, &mut before(setuid(&mut draft.body)?).suid);
    "old_fsuid", "", "1000", |draft, value| number(value, &mut before(setuid(&mut draft.body)?).fsuid);
    "old_gid", "", "1000", |draft, value| number(value, &mut before(setuid(&mut draft.body)?).gid);
    "old_egid", "", "1000", |draft, value| number(value, &mut before(setuid(&mut draft.body)?).egid);
    "old_sgid", "", "1000", |draft, value| number(value, &mut before(setuid(&mut draft.body)?).sgid);
    "old_fsgid", "", "1000", |draft, value| number(value, &mut before(setuid(&mut draft.body)?).fsgid);
    "old_effective", "", "0x1ff", |draft, value| bits(value, &mut before(setuid(&mut draft.body)?).effective);
    "new_uid", "", "1000", |draft, value| number(value, &mut setuid(&mut draft.body)?.after.uid);
    "new_euid", "", "1000", |draft, value| number(value, &mut setuid(&mut draft.body)?.after.euid);
    "new_suid", "", "1000", |draft, value| number(value, &mut setuid(&mut draft.body)?.after.suid);
    "new_fsuid", "", "1000", |draft, value| number(value, &mut setuid(&mut draft.body)?.after.fsuid);
    "new_gid", "", "1000", |draft, value| number(value, &mut setuid(&mut draft.body)?.after.gid);
    "new_egid", "", "1000", |draft, value| number(value, &mut setuid(&mut draft.body)?.after.egid);
    "new_sgid", "", "1000", |draft, value| number(value, &mut setuid(&mut draft.body)?.after.sgid);
    "new_fsgid", "", "1000", |draft, value| number(value, &mut setuid(&mut draft.body)?.after.fsgid);
    "new_effective", "", "0x1ff", |draft, value| bits(value, &mut setuid(&mut draft.body)?.after.effective);
    "asked_0", "evt.arg.uid", "0", |draft, value| id(value, setuid(&mut draft.body)?.asked.get_mut(0)?);
    "asked_1", "", "0", |draft, value| id(value, setuid(&mut draft.body)?.asked.get_mut(1)?);
    "asked_2", "", "0", |draft, value| id(value, setuid(&mut draft.body)?.asked.get_mut(2)?);
};

const CAPSET: &[Row] = table! { Data, &[Kind::Capset];
    "old_inheritable", "", "0x1ff", |draft, value| bits(value, &mut capset(&mut draft.body)?.before.get_or_insert_default().inheritable);
    "old_permitted", "", "0x1ff", |draft, value| bits(value, &mut capset(&mut draft.body)?.before.get_or_insert_default().permitted);
    "old_effective", "", "0x1ff", |draft, value| bits(value, &mut capset(&mut draft.body)?.before.get_or_insert_default().effective);
    "new_inheritable", "evt.arg.cap_inheritable", "0x1ff", |draft, value| bits(value, &mut capset(&mut draft.body)?.after.inheritable);
    "new_permitted", "evt.arg.cap_permitted", "0x1ff", |draft, value| bits(value, &mut capset(&mut draft.body)?.after.permitted);
    "new_effective", "evt.arg.cap_effective", "0x1ff", |draft, value| bits(value, &mut capset(&mut draft.body)?.after.effective);
};

pub(super) const ROWS: &[&[Row]] = &[SETUID, CAPSET];

fn setuid(body: &mut Body) -> Option<&mut Setuid> {
    match body {
        Body::Setuid(setuid) => Some(setuid),
        _ => None,
    }
}

fn capset(body: &mut Body) -> Option<&mut Capset> {
    match body {
        Body::Capset(capset) => Some(capset),
        _ => None,
    }
}

/// They are known when one of them is said.
fn before(setuid: &mut Setuid) -> &mut Credentials {
    setuid.before.get_or_insert_default()
}

fn bits(text: &str, to: &mut u64) -> Option<()> {
    *to = hexadecimal(text)?;
    Some(())
}
