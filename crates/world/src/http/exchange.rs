//! One request and its answer on an open stream.

use std::future::{Future, poll_fn};
use std::pin::pin;

use ::http::header::{CONNECTION, HOST, USER_AGENT};
use ::http::{HeaderValue, Method};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_util::rt::TokioIo;

use super::HttpError;
use super::request::{Place, Request, Response};
use crate::{Stream, limits};

pub(super) async fn hold(
    stream: Stream,
    place: &Place,
    request: &Request,
) -> Result<Response, HttpError> {
    let tls = stream.tls().cloned();
    let message = message(place, request)?;
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_headers(limits::HTTP_HEADERS_MAX)
        .max_buf_size(limits::HTTP_HEADER_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(failed)?;
    let body_bytes_max = request.body_bytes_max;
    let mut exchange = pin!(async {
        let response = sender.send_request(message).await.map_err(failed)?;
        let (head, body) = response.into_parts();
        let body = collect(body, body_bytes_max).await?;
        Ok(Response {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
            tls,
        })
    });
    let mut connection = pin!(connection);
    let mut over = false;
    poll_fn(|context| {
        // What ends the connection is told to the exchange as well.
        over = over || connection.as_mut().poll(context).is_ready();
        exchange.as_mut().poll(context)
    })
    .await
}

fn message(place: &Place, request: &Request) -> Result<hyper::Request<Full<Bytes>>, HttpError> {
    let method = match request.body {
        Some(_) => Method::POST,
        None if request.head => Method::HEAD,
        None => Method::GET,
    };
    let body = Bytes::from(request.body.clone().unwrap_or_default());
    let mut message = hyper::Request::builder()
        .method(method)
        .uri(&place.path)
        .header(HOST, &place.authority)
        .body(Full::new(body))
        .map_err(|error| HttpError::Protocol(error.to_string()))?;
    let headers = message.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static("Postroad"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    for (name, value) in request.fields()? {
        headers.insert(name, value);
    }
    Ok(message)
}

async fn collect(mut body: Incoming, bytes_max: usize) -> Result<Vec<u8>, HttpError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if bytes_max < announced {
        return Err(HttpError::TooLong(bytes_max));
    }
    let mut collected = Vec::with_capacity(announced);
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(failed)?.into_data() {
            if bytes_max - collected.len() < data.len() {
                return Err(HttpError::TooLong(bytes_max));
            }
            collected.extend_from_slice(&data);
        }
    }
    Ok(collected)
}

fn failed(error: hyper::Error) -> HttpError {
    HttpError::Protocol(match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    })
}
