//! The value of a fact, and its one textual form.

use std::{fmt, net::IpAddr};

use sentinel_event::{ExecId, NamedAddress, PathFlags, Text};

use crate::flags;

/// `O_ACCMODE`: a value, not bits.
const ACCESS_MODE: u32 = 3;

/// A fact's value. Outside it is always text.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// Any bytes: paths and names that processes chose.
    Bytes(&'a [u8]),
    /// One of our own words, or an identifier.
    Name(&'a str),
    /// A number.
    U64(u64),
    /// A number that may be negative.
    I64(i64),
    /// An address: `0x7f…`.
    Hex(u64),
    /// Permission bits: `0755`.
    Octal(u32),
    /// `true` or `false`.
    Bool(bool),
    /// An address of the network.
    Ip(IpAddr),
    /// The name of an execution.
    ExecId(ExecId),
    /// Addresses, `ADDRESS SECONDS NAME`, a comma and a blank between them.
    Addresses(&'a [NamedAddress]),
    /// A first word, if any, and further ones, a blank between all.
    Words(Option<&'a [u8]>, &'a [Text]),
    /// Names of set bits, `|` between; bits without a name as one hexadecimal number; `0` for none.
    Flags(u64, &'static [(u64, &'static str)]),
    /// `O_*` flags: the access mode, then as [`Value::Flags`].
    OpenFlags(u32),
    /// Names of what is special about a path, `,` between.
    PathFlags(PathFlags),
}

/// Takes a value's text piece by piece.
pub(crate) trait Out {
    /// Printable ASCII without `"` and `\`.
    fn clean(&mut self, text: &str);
    /// Anything.
    fn any(&mut self, bytes: &[u8]);
}

impl Value<'_> {
    /// Writes the text of the value.
    pub(crate) fn write(&self, out: &mut impl Out) {
        match *self {
            Self::Bytes(bytes) => out.any(bytes),
            Self::Name(name) => out.any(name.as_bytes()),
            Self::U64(number) => out.clean(itoa::Buffer::new().format(number)),
            Self::I64(number) => out.clean(itoa::Buffer::new().format(number)),
            Self::Hex(number) => print(out, format_args!("{number:#x}")),
            Self::Octal(number) => print(out, format_args!("{number:04o}")),
            Self::Bool(truth) => out.clean(if truth { "true" } else { "false" }),
            Self::Ip(ip) => print(out, format_args!("{ip}")),
            Self::ExecId(id) => print(out, format_args!("{id}")),
            Self::Addresses(all) => {
                for (at, NamedAddress { name, ip, ttl_s }) in all.iter().enumerate() {
                    let between = if at > 0 { ", " } else { "" };
                    print(out, format_args!("{between}{ip} {ttl_s} "));
                    out.any(name);
                }
            }
            Self::Words(first, rest) => {
                let words = first.into_iter().chain(rest.iter().map(|word| word.as_slice()));
                for (at, word) in words.enumerate() {
                    if at > 0 {
                        out.clean(" ");
                    }
                    out.any(word);
                }
            }
            Self::Flags(bits, names) => write_flags(out, bits, names),
            Self::OpenFlags(bits) => {
                let mode = bits & ACCESS_MODE;
                out.clean(["O_RDONLY", "O_WRONLY", "O_RDWR"].get(mode as usize).copied().unwrap_or("0x3"));
                if bits != mode {
                    out.clean("|");
                    write_flags(out, u64::from(bits & !ACCESS_MODE), flags::OPEN);
                }
            }
            Self::PathFlags(flags) => {
                for (at, name) in flags.names().enumerate() {
                    if at > 0 {
                        out.clean(",");
                    }
                    out.clean(name);
                }
            }
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text);
        f.write_str(&text)
    }
}

fn write_flags(out: &mut impl Out, bits: u64, names: &[(u64, &'static str)]) {
    let mut left = bits;
    let mut first = true;
    let mut bar = |out: &mut _| {
        if !std::mem::take(&mut first) {
            Out::clean(out, "|");
        }
    };
    for (bit, name) in names {
        if *bit != 0 && left & bit == *bit {
            left &= !bit;
            bar(out);
            out.clean(name);
        }
    }
    if left != 0 {
        bar(out);
        print(out, format_args!("{left:#x}"));
    } else if bits == 0 {
        out.clean("0");
    }
}

fn print(out: &mut impl Out, args: fmt::Arguments<'_>) {
    struct Adapter<'a, O>(&'a mut O);
    impl<O: Out> fmt::Write for Adapter<'_, O> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.clean(text);
            Ok(())
        }
    }
    // The adapter does not fail, nor do numbers and addresses.
    let _ = fmt::Write::write_fmt(&mut Adapter(out), args);
}

/// Plain text: what protobuf carries. Invalid UTF-8 becomes U+FFFD.
impl Out for String {
    fn clean(&mut self, text: &str) {
        self.push_str(text);
    }

    fn any(&mut self, bytes: &[u8]) {
        for chunk in bytes.utf8_chunks() {
            self.push_str(chunk.valid());
            if !chunk.invalid().is_empty() {
                self.push(char::REPLACEMENT_CHARACTER);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_one_text() {
        let words = [Text::from("-l"), Text::from("")];
        let bits: &[(u64, &str)] = &[(1, "ONE"), (4, "FOUR")];
        for (value, text) in [
            (Value::Bytes(b"a\xffb\n"), "a\u{fffd}b\n"),
            (Value::U64(u64::MAX), "18446744073709551615"),
            (Value::I64(-2), "-2"),
            (Value::Hex(4096), "0x1000"),
            (Value::Octal(0o755), "0755"),
            (Value::Bool(true), "true"),
            (Value::Ip("::1".parse().unwrap()), "::1"),
            (Value::Words(Some(b"ls"), &words), "ls -l "),
            (Value::Words(None, &[]), ""),
            (Value::Flags(5, bits), "ONE|FOUR"),
            (Value::Flags(10, bits), "0xa"),
            (Value::Flags(9, bits), "ONE|0x8"),
            (Value::Flags(0, bits), "0"),
            (Value::OpenFlags(0), "O_RDONLY"),
            (Value::OpenFlags(0o1101), "O_WRONLY|O_CREAT|O_TRUNC"),
            (Value::PathFlags(PathFlags::from_bits(129)), "deleted,shared"),
        ] {
            let mut out = String::new();
            value.write(&mut out);
            assert_eq!(out, text, "{value:?}");
        }
    }
}
