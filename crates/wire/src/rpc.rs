//! gRPC without messages in between: for senders that write the bytes themselves ([`Encoder::batched`](crate::Encoder)).

mod frames;

use std::{
    convert::Infallible,
    error::Error,
    marker::PhantomData,
    task::{Context, Poll},
};

use bytes::Bytes;
use prost::Message;
use tonic::{
    Request, Status,
    body::Body,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder, Streaming},
    codegen::{
        Body as HttpBody, Service, StdError,
        http::{self, uri::PathAndQuery},
        tokio_stream::{self, Stream},
    },
};

use self::frames::Frames;
pub use self::frames::Sent;
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

/// Sends messages that are bytes already – [`Batch`](crate::Batch) for a [`BatchAck`], `EventEnvelope` for a
/// [`DetectionResponse`] – and receives what comes back. It ends when `messages` do and the receiver has answered.
///
/// # Errors
/// What the receiver or the connection says.
pub async fn converse<T, C, R, S>(service: C, messages: S) -> Result<Streaming<T>, Status>
where
    T: Answer,
    C: Service<http::Request<Body>, Response = http::Response<R>>,
    C::Error: Into<StdError>,
    R: HttpBody<Data = Bytes> + Send + 'static,
    R::Error: Into<StdError>,
    S: Stream + Send + 'static,
    S::Item: Into<Sent>,
{
    let path = PathAndQuery::from_static(T::PATH);
    let mut client = Grpc::new(Uncopied { service, body: Some(Body::new(Frames::of(messages))) });
    client.ready().await.map_err(|error| Status::unavailable(causes(&*error.into())))?;
    let nothing = Request::new(tokio_stream::empty());
    Ok(client.streaming(nothing, path, RawCodec::<T>::default()).await?.into_inner())
}

/// Sends our body in place of the one that tonic makes, which is a copy of every message.
struct Uncopied<C> {
    service: C,
    body: Option<Body>,
}

impl<C: Service<http::Request<Body>>> Service<http::Request<Body>> for Uncopied<C> {
    type Response = C::Response;
    type Error = C::Error;
    type Future = C::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> C::Future {
        let body = self.body.take();
        self.service.call(request.map(|empty| body.unwrap_or(empty)))
    }
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

/// Sends nothing, receives messages of type `T`.
#[derive(Debug)]
struct RawCodec<T>(PhantomData<T>);

impl<T> Default for RawCodec<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T: Message + Default + Send + 'static> Codec for RawCodec<T> {
    type Encode = Infallible;
    type Decode = T;
    type Encoder = NoEncoder;
    type Decoder = RawDecoder<T>;

    fn encoder(&mut self) -> NoEncoder {
        NoEncoder
    }

    fn decoder(&mut self) -> RawDecoder<T> {
        RawDecoder(PhantomData)
    }
}

#[derive(Debug)]
struct NoEncoder;

impl Encoder for NoEncoder {
    type Item = Infallible;
    type Error = Status;

    fn encode(&mut self, item: Infallible, _: &mut EncodeBuf<'_>) -> Result<(), Status> {
        match item {}
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
