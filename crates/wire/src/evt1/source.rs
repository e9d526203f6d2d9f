//! The bytes of a log, whether it is gzip or not.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read};

use flate2::bufread::GzDecoder;

/// Bytes that are read from a file at once.
const CHUNK: usize = 128 << 10;
/// How every gzip member begins: identification, and the one method there is.
const GZIP: [u8; 3] = [0x1f, 0x8b, 8];

/// Bytes of a log.
#[derive(Debug)]
pub(super) struct Source<R> {
    /// None only while it changes, and once the file has failed.
    state: Option<State<R>>,
    bytes: u64,
}

#[derive(Debug)]
enum State<R> {
    Plain(Input<R>),
    /// Between members.
    Between(Input<R>),
    Member(Box<GzDecoder<Input<R>>>),
}

type Input<R> = BufReader<Tap<R>>;

/// What a look at the source brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Brought {
    Bytes(usize),
    /// The end of everything.
    End,
    /// A gzip member that is not right or, `torn`, that the file ends in. Reading goes on behind it.
    Broken {
        torn: bool,
    },
}

impl<R: Read> Source<R> {
    /// A source over `inner`; its first bytes say what it is.
    pub(super) fn new(inner: R) -> io::Result<Self> {
        let mut input = BufReader::with_capacity(CHUNK, Tap { inner, bytes: 0, error: None });
        let first = input.fill_buf()?;
        // A pipe may bring less than the three bytes at first.
        let gzip = !first.is_empty() && begins_member(first);
        let state = if gzip { State::Between(input) } else { State::Plain(input) };
        Ok(Self { state: Some(state), bytes: 0 })
    }

    /// Bytes that were taken from the file.
    pub(super) fn bytes(&self) -> u64 {
        match &self.state {
            Some(State::Plain(input) | State::Between(input)) => input.get_ref().bytes,
            Some(State::Member(member)) => member.get_ref().get_ref().bytes,
            None => self.bytes,
        }
    }

    /// Fills some of `buffer`, which must not be empty.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Brought> {
        loop {
            self.bytes = self.bytes();
            match self.state.take() {
                None => return Ok(Brought::End),
                Some(State::Plain(mut input)) => {
                    let bytes = input.read(buffer)?;
                    self.state = Some(State::Plain(input));
                    return Ok(if bytes == 0 { Brought::End } else { Brought::Bytes(bytes) });
                }
                Some(State::Between(mut input)) => {
                    let next = input.fill_buf()?;
                    if next.is_empty() {
                        self.state = Some(State::Between(input));
                        return Ok(Brought::End);
                    }
                    if begins_member(next) {
                        self.state = Some(State::Member(Box::new(GzDecoder::new(input))));
                        continue;
                    }
                    let skip = memchr::memchr_iter(GZIP[0], next)
                        .find(|at| next.get(*at..).is_some_and(begins_member))
                        .unwrap_or(next.len());
                    input.consume(skip);
                    self.state = Some(State::Between(input));
                    return Ok(Brought::Broken { torn: false });
                }
                Some(State::Member(mut member)) => match member.read(buffer) {
                    Ok(0) => self.state = Some(State::Between(member.into_inner())),
                    Ok(bytes) => {
                        self.state = Some(State::Member(member));
                        return Ok(Brought::Bytes(bytes));
                    }
                    Err(error) => {
                        let mut input = member.into_inner();
                        if let Some(error) = input.get_mut().error.take() {
                            return Err(error);
                        }
                        self.state = Some(State::Between(input));
                        return Ok(Brought::Broken { torn: error.kind() == ErrorKind::UnexpectedEof });
                    }
                },
            }
        }
    }
}

/// Whether a member may begin here, as far as one can see.
fn begins_member(bytes: &[u8]) -> bool {
    bytes.iter().zip(GZIP).all(|(byte, expected)| *byte == expected)
}

/// Counts what is read, and keeps an error of the file apart from one of the compression.
#[derive(Debug)]
struct Tap<R> {
    inner: R,
    bytes: u64,
    error: Option<io::Error>,
}

impl<R: Read> Read for Tap<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.inner.read(buffer) {
                Ok(bytes) => {
                    self.bytes += bytes as u64;
                    return Ok(bytes);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    let copy = error.raw_os_error().map_or(error.kind().into(), io::Error::from_raw_os_error);
                    self.error = Some(error);
                    return Err(copy);
                }
            }
        }
    }
}
