//! Connections: how many, and what becomes of those that say nothing.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep},
};
use tokio_stream::Stream;
use tonic::transport::server::{Connected, TcpConnectInfo};
use tracing::debug;

use crate::meters::Meters;

/// Bytes of HTTP/2's greeting. Who has sent as many is under the watch of HTTP/2's own keep-alive.
const GREETING_BYTES: usize = 24;
/// Pause after a failed accept: descriptors may be used up, and the loop must not spin.
const PAUSE: Duration = Duration::from_millis(100);

type Permit = Pin<Box<dyn Future<Output = Option<OwnedSemaphorePermit>> + Send>>;

/// Connections as they come, at most as many at a time as there are permits; the others wait in the kernel's
/// queue, which is bounded.
pub(super) struct Connections {
    listener: TcpListener,
    permits: Arc<Semaphore>,
    meters: Arc<Meters>,
    greeting: Duration,
    waiting: Option<Permit>,
    permit: Option<OwnedSemaphorePermit>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Connections {
    pub(super) fn new(
        listener: TcpListener,
        permits: Arc<Semaphore>,
        meters: Arc<Meters>,
        greeting: Duration,
    ) -> Self {
        Self { listener, permits, meters, greeting, waiting: None, permit: None, pause: None }
    }
}

impl Stream for Connections {
    type Item = io::Result<Connection>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(pause) = &mut this.pause {
                ready!(pause.as_mut().poll(context));
                this.pause = None;
            }
            if this.permit.is_none() {
                let permits = &this.permits;
                let waiting = this.waiting.get_or_insert_with(|| {
                    let permits = Arc::clone(permits);
                    Box::pin(async move { permits.acquire_owned().await.ok() })
                });
                this.permit = ready!(waiting.as_mut().poll(context));
                this.waiting = None;
            }
            match ready!(this.listener.poll_accept(context)) {
                Ok((stream, _)) => {
                    // Without it small answers wait for others.
                    let _ = stream.set_nodelay(true);
                    this.meters.connections.add(1);
                    let connection = Connection {
                        stream,
                        silence: Some((Box::pin(sleep(this.greeting)), 0)),
                        meters: Arc::clone(&this.meters),
                        _permit: this.permit.take(),
                    };
                    return Poll::Ready(Some(Ok(connection)));
                }
                Err(error) => {
                    debug!(%error, "Cannot accept a connection.");
                    this.pause = Some(Box::pin(sleep(PAUSE)));
                }
            }
        }
    }
}

/// A connection that must greet in time, and gives its place back.
pub(super) struct Connection {
    stream: TcpStream,
    /// Until it has greeted: when it is too late, and how many bytes came.
    silence: Option<(Pin<Box<Sleep>>, usize)>,
    meters: Arc<Meters>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.meters.connections.leave(1);
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        let Some((late, came)) = &mut this.silence else { return read };
        if read.is_ready() {
            *came += buffer.filled().len() - before;
            if *came >= GREETING_BYTES {
                this.silence = None;
            }
            return read;
        }
        ready!(late.as_mut().poll(context));
        this.meters.connections_silent.add(1);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
