//! HTTP/1.1, as much as is needed to ask a store or Patroni's REST API: one request a connection, no redirects, no proxies.

mod url;

use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Request};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use super::net::{Failure, Kind, Net, Tls};
use crate::secret::Secret;

pub use url::Url;

/// What a server has answered.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its header lines.
    pub headers: HeaderMap,
    /// Its text.
    pub body: Bytes,
}

impl Reply {
    /// The text of a header line.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Asks servers, always with the same certificates and header lines.
#[derive(Clone)]
pub struct Client {
    net: Net,
    files: Tls,
    tls: Arc<OnceLock<Result<TlsConnector, Failure>>>,
    headers: Vec<(HeaderName, Secret)>,
}

impl Client {
    /// Files for TLS are read when a server is asked through TLS for the first time.
    #[must_use]
    pub fn new(tls: &Tls, net: &Net) -> Self {
        Self { net: net.clone(), files: tls.clone(), tls: Arc::default(), headers: Vec::new() }
    }

    /// Sends a header line with each request.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: Secret) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Sends name and password with each request (`Authorization: Basic`).
    #[must_use]
    pub fn with_basic_auth(self, user: &str, password: &Secret) -> Self {
        let text = BASE64.encode(format!("{user}:{}", password.reveal()));
        self.with_header(header::AUTHORIZATION, Secret::new(format!("Basic {text}")))
    }

    /// Gets what lies at a path.
    ///
    /// # Errors
    /// Why there is no answer. An answer with a status of an error is one.
    pub async fn get(&self, url: &Url, path: &str) -> Result<Reply, Failure> {
        self.ask(Method::GET, url, path, None).await
    }

    /// Sends a JSON text to a path.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn post(&self, url: &Url, path: &str, json: String) -> Result<Reply, Failure> {
        self.ask(Method::POST, url, path, Some(json)).await
    }

    async fn ask(&self, method: Method, url: &Url, path: &str, json: Option<String>) -> Result<Reply, Failure> {
        self.net.note(format!("{method} {url}{}", path.split('?').next().unwrap_or(path)));
        let request = self.request(method, url, path, json)?;
        let connector = || self.tls.get_or_init(|| self.files.connector()).as_ref().map_err(Clone::clone);
        let tls = url.https.then(connector).transpose()?;
        let connected = AtomicBool::new(false);
        let result = self.net.within(self.talk(url, tls, request, &connected)).await;
        result.map_err(|failure| match failure.kind {
            Kind::TimedOut if connected.load(Ordering::Relaxed) => Failure::new(Kind::Silent, failure.detail),
            _ => failure,
        })
    }

    fn request(
        &self,
        method: Method,
        url: &Url,
        path: &str,
        json: Option<String>,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let unsendable = |what: &str| Failure::new(Kind::Unreadable, format!("{what} cannot be sent"));
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, url.host_and_port())
            .header(header::USER_AGENT, concat!("patroni-preflight/", env!("CARGO_PKG_VERSION")))
            .header(header::ACCEPT, "*/*")
            .header(header::CONNECTION, "close");
        if json.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in &self.headers {
            let mut value = HeaderValue::from_bytes(value.reveal().as_bytes())
                .map_err(|_| unsendable(&format!("the value of the header `{name}`")))?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        request.body(Full::new(Bytes::from(json.unwrap_or_default()))).map_err(|_| unsendable(&format!("`{path}`")))
    }

    async fn talk(
        &self,
        url: &Url,
        tls: Option<&TlsConnector>,
        request: Request<Full<Bytes>>,
        connected: &AtomicBool,
    ) -> Result<Reply, Failure> {
        let stream = self.net.dial(&url.host, url.port, tls).await?;
        connected.store(true, Ordering::Relaxed);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| of_hyper(&e))?;
        // Ends with this function, however that ends.
        let mut running = JoinSet::new();
        running.spawn(connection);
        let answer = match sender.send_request(request).await {
            Ok(answer) => answer,
            Err(error) => {
                // What the connection says is the cause, where both say something.
                let cause = running.join_next().await.and_then(Result::ok).and_then(Result::err);
                return Err(of_hyper(cause.as_ref().unwrap_or(&error)));
            }
        };
        let (head, body) = answer.into_parts();
        let limit = self.net.limits().body;
        let body = Limited::new(body, limit).collect().await.map_err(|error| {
            error.downcast_ref::<hyper::Error>().map_or_else(
                || Failure::new(Kind::TooLarge, format!("the answer is larger than {limit} bytes")),
                of_hyper,
            )
        })?;
        Ok(Reply { status: head.status.as_u16(), headers: head.headers, body: body.to_bytes() })
    }
}

fn of_hyper(error: &hyper::Error) -> Failure {
    // A request is cancelled because of what the connection has met.
    if let Some(cause) = error.source().and_then(|e| e.downcast_ref()).filter(|_| error.is_canceled()) {
        return of_hyper(cause);
    }
    // Some programs speak before they are asked.
    if error.is_parse() || error.to_string().contains("unexpected message") {
        return Failure::new(Kind::Foreign, "what answers there does not speak HTTP");
    }
    // Nothing of ours cancels a request: the other side was gone before it was sent.
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return Failure::new(Kind::Closed, "the connection was closed before there was a complete answer");
    }
    Failure::of_chain(error).unwrap_or_else(|| Failure::new(Kind::Unreachable, error.to_string()))
}
