//! Files: open, read, write, close, unlink, rename.

use sentinel_event::{Body, FileOpen, FileRename, FileUnlink, Path};

use super::{Close, Content, Decode, DecodeError, Io, OpenFile, Tail};
use crate::abi;

impl Decode for abi::sentinel_file_open {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        let found = self.ino != 0 || self.dev != 0;
        let open = FileOpen {
            path: if found { tail.rooted(self.path)? } else { Path::default() },
            asked: tail.user_path(self.asked)?,
            flags: self.flags,
            mode: self.mode,
            dev: self.dev,
            ino: self.ino,
            created: self.created != 0,
        };
        Ok(Content::Open(open, self.place))
    }
}

impl Decode for abi::sentinel_file_read {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        io(&self.io, tail, false)
    }
}

impl Decode for abi::sentinel_file_write {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        io(&self.io, tail, true)
    }
}

fn io(io: &abi::sentinel_io, tail: Tail<'_>, write: bool) -> Result<Content, DecodeError> {
    Ok(Content::Io(Io {
        write,
        file: OpenFile { key: io.file, opened_ns: io.opened_ns, ino: io.ino, dev: io.dev, fd: io.fd },
        single: io.opened_ns == 0,
        calls: io.calls,
        bytes: io.bytes,
        path: tail.rooted(io.path)?,
        data: tail.text(io.data)?,
    }))
}

impl Decode for abi::sentinel_file_close {
    fn decode(&self, _: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Close(Close {
            file: OpenFile {
                key: self.file,
                opened_ns: self.opened_ns,
                ino: self.ino,
                dev: self.dev,
                fd: self.fd,
            },
            single: self.single != 0,
            calls: self.calls,
            bytes: self.bytes,
        }))
    }
}

impl Decode for abi::sentinel_file_unlink {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::FileUnlink(FileUnlink { target: tail.user_path(self.target)? })))
    }
}

impl Decode for abi::sentinel_file_rename {
    fn decode(&self, tail: Tail<'_>) -> Result<Content, DecodeError> {
        Ok(Content::Body(Body::FileRename(FileRename {
            from: tail.user_path(self.from)?,
            to: tail.user_path(self.to)?,
            flags: self.flags,
        })))
    }
}
