//! The forms that values have.

use sentinel_event::{Comm, Text, UserPath};

use crate::language::eval::names::Flags;

/// A number in decimal.
pub(super) fn number<T: std::str::FromStr>(text: &str, to: &mut T) -> Option<()> {
    *to = text.parse().ok()?;
    Some(())
}

/// `true` or `false`.
pub(super) fn truth(text: &str, to: &mut bool) -> Option<()> {
    number(text, to)
}

/// Any text.
pub(super) fn text(text: &str, to: &mut Text) -> Option<()> {
    *to = text.into();
    Some(())
}

/// What the kernel used in place of a name.
pub(super) fn used(text: &str, to: &mut UserPath) -> Option<()> {
    to.second = Some(Box::new(text.into()));
    Some(())
}

/// What the memory held that a name was read from, when the call began.
pub(super) fn entered(text: &str, to: &mut UserPath) -> Option<()> {
    to.shared = true;
    used(text, to)
}

/// The name of a thread, cut as the kernel cuts it.
pub(super) fn comm(text: &str, to: &mut Comm) -> Option<()> {
    *to = text.into();
    Some(())
}

/// `0x7f…`, or decimal.
pub(super) fn hexadecimal(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// A number in octal, a 0 before it or not.
pub(super) fn octal(text: &str, to: &mut u32) -> Option<()> {
    *to = u32::from_str_radix(text, 8).ok()?;
    Some(())
}

/// A user or group: -1 is none, as callers write it.
pub(super) fn id(text: &str, to: &mut u32) -> Option<()> {
    if text == "-1" {
        *to = u32::MAX;
        return Some(());
    }
    number(text, to)
}

/// Names of bits and numbers, `|` between them.
pub(super) fn flags(text: &str, names: &[Flags]) -> Option<u64> {
    text.split('|').try_fold(0, |bits, part| {
        let named = names.iter().copied().flatten().find(|(_, name)| *name == part);
        Some(bits | named.map(|(bit, _)| *bit).or_else(|| hexadecimal(part))?)
    })
}

/// The same for fields of 32 bits.
pub(super) fn flags32(text: &str, names: &[Flags], to: &mut u32) -> Option<()> {
    *to = u32::try_from(flags(text, names)?).ok()?;
    Some(())
}

/// A word of a list.
pub(super) fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Option<T> {
    words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value)
}
