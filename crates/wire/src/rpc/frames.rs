//! The body of a call: messages as gRPC frames them. What is long goes out as it is, with nothing copied.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::Frame;
use tonic::codegen::{
    Body,
    tokio_stream::{Stream, StreamExt as _},
};

use crate::Batch;

/// Messages that are shorter travel together.
const SHORT: usize = 4 << 10;
/// How much of them at most, about.
const TOGETHER: usize = 32 << 10;

/// A message on its way out: what stands before, and the rest.
#[derive(Debug, Clone)]
pub struct Sent {
    head: Vec<u8>,
    rest: Bytes,
}

impl From<Bytes> for Sent {
    fn from(rest: Bytes) -> Self {
        Self { head: Vec::new(), rest }
    }
}

impl From<Batch> for Sent {
    fn from(batch: Batch) -> Self {
        Self { head: batch.head(), rest: batch.events }
    }
}

/// The messages of a stream, framed.
pub(super) struct Frames {
    messages: Pin<Box<dyn Stream<Item = Sent> + Send>>,
    /// The rest of a message whose beginning has gone out.
    rest: Option<Bytes>,
}

impl Frames {
    pub(super) fn of<S>(messages: S) -> Self
    where
        S: Stream + Send + 'static,
        S::Item: Into<Sent>,
    {
        Self { messages: Box::pin(messages.map(Into::into).fuse()), rest: None }
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let whole = |bytes: Bytes| Poll::Ready(Some(Ok(Frame::data(bytes))));
        if let Some(rest) = self.rest.take() {
            return whole(rest);
        }
        let mut out = Vec::new();
        loop {
            let message = match self.messages.as_mut().poll_next(context) {
                Poll::Ready(Some(message)) => message,
                Poll::Ready(None) if out.is_empty() => return Poll::Ready(None),
                Poll::Pending if out.is_empty() => return Poll::Pending,
                Poll::Ready(None) | Poll::Pending => return whole(out.into()),
            };
            let Some(prefix) = prefix(&message) else {
                // No message is that long: senders have bounds of their own.
                continue;
            };
            out.extend_from_slice(&prefix);
            out.extend_from_slice(&message.head);
            if message.rest.len() >= SHORT {
                self.rest = Some(message.rest);
                return whole(out.into());
            }
            out.extend_from_slice(&message.rest);
            if out.len() >= TOGETHER {
                return whole(out.into());
            }
        }
    }
}

/// Not compressed, and the length; none for one of 4 GiB or more.
fn prefix(message: &Sent) -> Option<[u8; 5]> {
    let length = u32::try_from(message.head.len() + message.rest.len()).ok()?;
    let [a, b, c, d] = length.to_be_bytes();
    Some([0, a, b, c, d])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tonic::codegen::tokio_stream::iter;

    use super::*;

    /// What goes out, piece by piece.
    fn pieces(messages: Vec<Sent>) -> Vec<Bytes> {
        let mut frames = Frames::of(iter(messages));
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut pieces = Vec::new();
        while let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut frames).poll_frame(&mut context) {
            pieces.push(frame.into_data().unwrap());
        }
        pieces
    }

    #[test]
    fn short_messages_travel_together_and_long_ones_uncopied() {
        let (short, long) = (Bytes::from_static(b"short"), Bytes::from(vec![7; SHORT]));
        let batch = Batch { sequence: 300, events: long.clone() };
        let sent = pieces(vec![short.clone().into(), short.into(), batch.into(), Bytes::new().into()]);
        let begin = [&b"\0\0\0\0\x05short\0\0\0\0\x05short\0\0\0\x10\x03"[..], b"\x08\xac\x02"].concat();
        assert_eq!(sent, [begin, long.to_vec(), vec![0; 5]]);
        assert_eq!(sent.get(1).unwrap().as_ptr(), long.as_ptr());
    }

    #[test]
    fn what_travels_together_is_bounded() {
        let sent = pieces(vec![Bytes::from(vec![1; SHORT - 1]).into(); 20]);
        assert!(sent.len() > 1 && sent.iter().all(|piece| piece.len() < TOGETHER + SHORT + 5));
        assert_eq!(sent.iter().map(Bytes::len).sum::<usize>(), 20 * (SHORT + 4));
    }
}
