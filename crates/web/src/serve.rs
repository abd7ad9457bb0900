//! One web connection: TLS if it is that door's, then requests until it ends, within bounds.
//! A panic costs the connection.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::StatusCode;
use http_body_util::{BodyExt as _, Limited};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use world::{Stop, Stream, TlsServer};

use crate::route::{Asked, Door};
use crate::{Inner, Web, answer, limits};

impl Web {
    /// A connection in clear text: little more than the way to the other door.
    pub async fn serve_http(&self, stream: Stream, stop: &Stop) {
        self.serve(stream, Door::Plain, None, stop).await;
    }

    pub async fn serve_https(&self, mut stream: Stream, tls: &TlsServer, stop: &Stop) {
        let world = &self.inner.world;
        let deadline = world.now() + limits::HANDSHAKE_PATIENCE;
        let handshake = world.tasks.deadline(deadline, stream.start_tls_server(tls));
        match handshake.await {
            Ok(Ok(_)) => self.serve(stream, Door::Tls, Some(tls), stop).await,
            Ok(Err(error)) => {
                tracing::debug!(peer = %stream.peer_addr().ip(), %error, "no TLS on a web connection");
            }
            Err(_) => {}
        }
    }

    async fn serve(&self, stream: Stream, door: Door, tls: Option<&TlsServer>, stop: &Stop) {
        // Nobody is told: an answer would cost what there is too little of.
        let Ok(_place) = self.inner.places.clone().try_acquire_owned() else {
            tracing::warn!(peer = %stream.peer_addr().ip(), "too many web connections: one is turned away");
            return;
        };
        let _session = stop.enter();
        let world = &self.inner.world;
        let deadline = world.now() + limits::CONNECTION_LIFETIME;
        let held = hold(self.inner.clone(), stream, door, tls.cloned(), stop);
        // Whoever is still here then is cut off.
        let _ = world.tasks.deadline(deadline, held).await;
    }
}

async fn hold(inner: Arc<Inner>, stream: Stream, door: Door, tls: Option<TlsServer>, stop: &Stop) {
    let answering = inner.clone();
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let (inner, tls) = (answering.clone(), tls.clone());
        async move {
            let asked = Asked::of(&request, door);
            Ok::<_, Infallible>(match body_of(&inner, request).await {
                Some(body) => inner.answer(asked, &body, tls.as_ref()).await,
                None => answer::text(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "That is too much, or too slow.\n",
                ),
            })
        }
    });
    let mut connection = pin!(
        hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits::HEADER_PATIENCE)
            .max_headers(limits::HEADER_FIELDS_MAX)
            .max_buf_size(limits::HEADER_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service)
    );
    // How a client leaves is its own affair.
    match select(connection.as_mut(), pin!(stop.requested())).await {
        Either::Left(_) => {}
        Either::Right(_) => {
            connection.as_mut().graceful_shutdown();
            let deadline = inner.world.now() + limits::STOP_PATIENCE;
            let _ = inner.world.tasks.deadline(deadline, connection).await;
        }
    }
}

/// What comes with the request, within bounds.
async fn body_of(inner: &Inner, request: hyper::Request<hyper::body::Incoming>) -> Option<Bytes> {
    let body = Limited::new(request.into_body(), limits::BODY_BYTES_MAX).collect();
    let deadline = inner.world.now() + limits::BODY_PATIENCE;
    let collected = inner.world.tasks.deadline(deadline, body).await;
    Some(collected.ok()?.ok()?.to_bytes())
}
