//! gRPC without messages in between: for senders that write the bytes themselves ([`Encoder::batched`](crate::Encoder)).

use std::{error::Error, marker::PhantomData};

use bytes::{BufMut as _, Bytes};
use prost::Message;
use tonic::{
    Request, Status,
    body::Body,
    client::{Grpc, GrpcService},
    codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder, Streaming},
    codegen::{Body as HttpBody, StdError, http::uri::PathAndQuery, tokio_stream::Stream},
};

use crate::v1::{BatchAck, DetectionResponse};

/// What comes back for events, and from which RPC.
pub trait Answer: Message + Default + Send + 'static {
    /// The RPC's path.
    const PATH: &'static str;
}

impl Answer for BatchAck {
    const PATH: &'static str = "/sentinel.v1.DetectorService/PushEvents";
}

impl Answer for DetectionResponse {
    const PATH: &'static str = "/sentinel.v1.DetectorService/StreamEvents";
}

/// Sends messages that are bytes already – `EventBatch` for a [`BatchAck`], `EventEnvelope` for a
/// [`DetectionResponse`] – and receives what comes back. It ends when `messages` do and the receiver has answered.
///
/// # Errors
/// What the receiver or the connection says.
pub async fn converse<T, C, S>(client: &mut Grpc<C>, messages: S) -> Result<Streaming<T>, Status>
where
    T: Answer,
    C: GrpcService<Body>,
    C::ResponseBody: HttpBody<Data = Bytes> + Send + 'static,
    <C::ResponseBody as HttpBody>::Error: Into<StdError>,
    S: Stream<Item = Bytes> + Send + 'static,
{
    let path = PathAndQuery::from_static(T::PATH);
    Ok(client.streaming(Request::new(messages), path, RawCodec::<T>::default()).await?.into_inner())
}

/// An error with its causes, each once: alone it often says little.
pub fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = cause.source();
    }
    text
}

/// Why a call has ended, for people.
pub fn told(status: &Status) -> String {
    let cause = status.source().map(causes).unwrap_or_default();
    format!("{:?}: {}{}{cause}", status.code(), status.message(), if cause.is_empty() { "" } else { ": " })
}

/// Sends bytes that are a message already, receives messages of type `T`.
#[derive(Debug)]
struct RawCodec<T>(PhantomData<T>);

impl<T> Default for RawCodec<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T: Message + Default + Send + 'static> Codec for RawCodec<T> {
    type Encode = Bytes;
    type Decode = T;
    type Encoder = RawEncoder;
    type Decoder = RawDecoder<T>;

    fn encoder(&mut self) -> RawEncoder {
        RawEncoder
    }

    fn decoder(&mut self) -> RawDecoder<T> {
        RawDecoder(PhantomData)
    }
}

#[derive(Debug)]
struct RawEncoder;

impl Encoder for RawEncoder {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.reserve(item.len());
        to.put(item);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::default()
    }
}

#[derive(Debug)]
struct RawDecoder<T>(PhantomData<T>);

impl<T: Message + Default> Decoder for RawDecoder<T> {
    type Item = T;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<T>, Status> {
        T::decode(from).map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}
