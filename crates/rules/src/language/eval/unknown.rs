//! What stands for "not known" where an event has no other way to say so.

/// A user or group: no process ever has this id, the kernel keeps it for errors. Logins use it for "nobody".
pub(in crate::language) const ID: u32 = u32::MAX;

/// A descriptor.
pub(in crate::language) const DESCRIPTOR: i32 = -1;
