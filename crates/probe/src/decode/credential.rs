//! Who one is.

use sentinel_event::{Body, Capset, Credentials, Setuid};

use super::{Content, Decode, DecodeError, Tail};
use crate::abi;

impl Decode for abi::sentinel_setuid {
    fn decode(&self, _: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::Setuid(Setuid {
            before: known(self.known, &self.before),
            after: credentials(&self.after),
            asked: self.asked,
        })))
    }
}

impl Decode for abi::sentinel_capset {
    fn decode(&self, _: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::Capset(Capset {
            before: known(self.known, &self.before),
            after: credentials(&self.after),
        })))
    }
}

fn known(known: u32, wire: &abi::sentinel_credentials) -> Option<Credentials> {
    (known != 0).then(|| credentials(wire))
}

fn credentials(wire: &abi::sentinel_credentials) -> Credentials {
    let [uid, euid, suid, fsuid] = wire.uid;
    let [gid, egid, sgid, fsgid] = wire.gid;
    let [inheritable, permitted, effective] = wire.cap;
    Credentials { uid, euid, suid, fsuid, gid, egid, sgid, fsgid, inheritable, permitted, effective }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::wire_tests::{body, every_cut_fails, record};

    #[test]
    fn credentials_of_before_and_after_are_told() {
        let wire = abi::sentinel_credentials { uid: [1, 2, 3, 4], gid: [5, 6, 7, 8], cap: [9, 10, 11] };
        let want = Credentials {
            uid: 1,
            euid: 2,
            suid: 3,
            fsuid: 4,
            gid: 5,
            egid: 6,
            sgid: 7,
            fsgid: 8,
            inheritable: 9,
            permitted: 10,
            effective: 11,
        };
        for (known, before) in [(1, Some(want)), (0, None)] {
            let setuid = abi::sentinel_setuid { before: wire, asked: [7, 8, 9], known, ..Default::default() };
            let capset = abi::sentinel_capset { before: wire, after: wire, known, ..Default::default() };
            let bytes = record(22, &setuid, b"");
            let after = Credentials::default();
            assert_eq!(body(&bytes), Body::Setuid(Setuid { before, after, asked: [7, 8, 9] }));
            every_cut_fails(&bytes);
            let bytes = record(23, &capset, b"");
            assert_eq!(body(&bytes), Body::Capset(Capset { before, after: want }));
            every_cut_fails(&bytes);
        }
    }
}
