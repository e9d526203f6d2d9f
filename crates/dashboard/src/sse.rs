//! Server-Sent Events: read from detectors, written for browsers.

/// Bytes of one message; a longer one is skipped and counted, since nothing bounds what a sender writes.
pub(crate) const MESSAGE_MOST: usize = 1 << 20;

/// One message of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Message {
    /// Empty for the ordinary kind.
    pub(crate) event: String,
    pub(crate) id: String,
    pub(crate) data: Vec<u8>,
}

/// What a stream turned into.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    Message(Message),
    /// A message was longer than [`MESSAGE_MOST`].
    TooLong,
}

/// Puts messages together from the pieces that arrive.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    line: Vec<u8>,
    message: Message,
    too_long: bool,
}

impl Reader {
    /// Takes the next piece; calls `found` with what it completes.
    pub(crate) fn take(&mut self, piece: &[u8], mut found: impl FnMut(Read)) {
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end);
            self.keep(line);
            self.end_line(&mut found);
            rest = after.strip_prefix(b"\n").unwrap_or_default();
        }
        self.keep(rest);
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.line.len() + self.message.data.len() + bytes.len() > MESSAGE_MOST {
            self.too_long = true;
            self.line.clear();
            // One byte says that the line is not the empty one that ends a message.
            self.line.push(b':');
            self.message.data.clear();
        } else if !self.too_long || self.line.is_empty() {
            self.line.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self, found: &mut impl FnMut(Read)) {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        if line.is_empty() {
            let message = std::mem::take(&mut self.message);
            if std::mem::take(&mut self.too_long) {
                found(Read::TooLong);
            } else if !message.data.is_empty() {
                found(Read::Message(message));
            }
            return;
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (field, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" if !self.too_long => {
                if !self.message.data.is_empty() {
                    self.message.data.push(b'\n');
                }
                self.message.data.extend_from_slice(value);
            }
            b"id" => self.message.id = String::from_utf8_lossy(value).into_owned(),
            b"event" => self.message.event = String::from_utf8_lossy(value).into_owned(),
            _ => {}
        }
    }
}

/// A message as it is sent. A line end in `data` would end it, so every line of it becomes one of its own.
pub(crate) fn write(event: &str, id: &str, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() + id.len() + 32);
    for (field, value) in [("event", event), ("id", id)] {
        if !value.is_empty() {
            out.extend_from_slice(format!("{field}: {value}\n").as_bytes());
        }
    }
    for line in data.split(|byte| matches!(byte, b'\n' | b'\r')) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.push(b'\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Vec<Read> {
        let (mut reader, mut all) = (Reader::default(), Vec::new());
        for piece in pieces {
            reader.take(piece, |read| all.push(read));
        }
        all
    }

    fn message(id: &str, data: &str) -> Read {
        Read::Message(Message { event: String::new(), id: id.into(), data: data.into() })
    }

    #[test]
    fn messages_are_whole_wherever_the_pieces_are_cut() {
        let text = b": ping\n\nid: 1\ndata: {\"a\":1}\n\nid:2\r\ndata:x\r\ndata: y\r\n\r\nevent: z\n\n";
        let expected = [message("1", "{\"a\":1}"), message("2", "x\ny")];
        for cut in 0..text.len() {
            assert_eq!(read(&[&text[..cut], &text[cut..]]), expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_message_without_end_costs_only_itself() {
        let long = vec![b'x'; MESSAGE_MOST];
        let found = read(&[b"data: ", &long, &long, b"\n\nid: 2\ndata: y\n\n"]);
        assert_eq!(found, [Read::TooLong, message("2", "y")]);
        let line = [b"data: ".as_slice(), &long[..MESSAGE_MOST / 2], b"\n"].concat();
        assert_eq!(read(&[&line, &line, &line, b"\ndata: y\n\n"]), [Read::TooLong, message("", "y")]);
    }

    #[test]
    fn what_is_written_is_read_again() {
        for data in ["{}", "a\nb", "a\r\nid: 7\n\n"] {
            let found = read(&[&write("", "n=1", data.as_bytes())]);
            assert_eq!(found, [message("n=1", &data.replace('\r', "\n"))]);
        }
    }
}
