//! How requests to the authority leave: through the world's HTTP client, like everything else.

use std::pin::Pin;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient as AcmeHttp};
use world::http::{HttpClient, Request};

pub(super) struct Transport {
    client: HttpClient,
}

/// The fields of an answer that ACME reads. RFC 8555 §6.5, §7.3, §7.4.2, §7.5.1.
const FIELDS: [&str; 5] = [
    "Replay-Nonce",
    "Location",
    "Retry-After",
    "Link",
    "Content-Type",
];

impl Transport {
    pub(super) fn new(client: HttpClient) -> Self {
        Self { client }
    }
}

impl AcmeHttp for Transport {
    fn request(
        &self,
        request: http::Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.client.clone();
        Box::pin(async move {
            ask(&client, request)
                .await
                .map_err(|error| Error::Other(error.into()))
        })
    }
}

async fn ask(
    client: &HttpClient,
    request: http::Request<BodyWrapper<Bytes>>,
) -> Result<BytesResponse, String> {
    let (head, body) = request.into_parts();
    let url = head.uri.to_string();
    let body = body
        .collect()
        .await
        .map_err(|error| error.to_string())?
        .to_bytes();
    let asked = match head.method {
        http::Method::GET => Request::get(&url),
        http::Method::HEAD => Request::head(&url),
        http::Method::POST => {
            let kind = head.headers.get(http::header::CONTENT_TYPE);
            let kind = kind
                .and_then(|kind| kind.to_str().ok())
                .unwrap_or("application/jose+json");
            Request::post(&url, kind, body.to_vec())
        }
        other => return Err(format!("{other} is not spoken here")),
    };
    let answer = client
        .fetch(asked)
        .await
        .map_err(|error| error.to_string())?;
    let mut response = http::Response::builder().status(answer.status);
    for name in FIELDS {
        if let Some(value) = answer.header(name) {
            response = response.header(name, value);
        }
    }
    let body = Full::new(Bytes::from(answer.body));
    Ok(BytesResponse::from(
        response.body(body).map_err(|error| error.to_string())?,
    ))
}
