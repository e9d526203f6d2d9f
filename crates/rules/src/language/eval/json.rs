//! JSON, written piece by piece.

/// Writes an object or array member by member.
#[derive(Debug)]
pub(super) struct Members<'a> {
    pub(super) out: &'a mut Vec<u8>,
    first: bool,
    close: u8,
}

impl<'a> Members<'a> {
    pub(super) fn object(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true, close: b'}' }
    }

    pub(super) fn array(out: &'a mut Vec<u8>) -> Self {
        out.push(b'[');
        Self { out, first: true, close: b']' }
    }

    /// The place of the next element.
    pub(super) fn next(&mut self) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        self.out
    }

    /// The place of the value of `key`.
    pub(super) fn key(&mut self, key: &str) -> &mut Vec<u8> {
        let out = self.next();
        string(key.as_bytes(), out);
        out.push(b':');
        out
    }

    pub(super) fn text(&mut self, key: &str, text: impl AsRef<[u8]>) {
        string(text.as_ref(), self.key(key));
    }

    pub(super) fn number(&mut self, key: &str, number: impl std::fmt::Display) {
        print(self.key(key), format_args!("{number}"));
    }

    pub(super) fn end(self) {
        self.out.push(self.close);
    }
}

/// A string with its quotes. Bytes that are no UTF-8 become U+FFFD.
pub(super) fn string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    escaped(text, out);
    out.push(b'"');
}

/// The inside of a string.
pub(super) fn escaped(text: &[u8], out: &mut Vec<u8>) {
    // Nearly every text is copied as it stands.
    let plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    let (front, rest) = text.split_at(text.iter().take_while(|byte| plain(byte)).count());
    out.extend_from_slice(front);
    for chunk in rest.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '"' => out.extend_from_slice(b"\\\""),
                '\\' => out.extend_from_slice(b"\\\\"),
                '\u{8}' => out.extend_from_slice(b"\\b"),
                '\u{c}' => out.extend_from_slice(b"\\f"),
                '\n' => out.extend_from_slice(b"\\n"),
                '\r' => out.extend_from_slice(b"\\r"),
                '\t' => out.extend_from_slice(b"\\t"),
                // Those above ASCII too: a terminal may obey them.
                control if control.is_control() => print(out, format_args!("\\u{:04x}", u32::from(control))),
                other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

/// Formats to bytes.
pub(super) fn print(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to a vector does not fail.
    let _ = std::io::Write::write_fmt(out, text);
}
