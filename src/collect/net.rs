//! Connections with deadlines, in clear and through TLS, and why there is none.

mod failure;
mod tls;

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

pub use failure::{Failure, Kind};
pub use tls::{Tls, Verify};

/// What a conversation may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Until a name is resolved, and until one of its addresses accepts a connection.
    pub connect: Duration,
    /// Until an answer is complete, with all that comes before.
    pub answer: Duration,
    /// The most bytes of an answer.
    pub body: usize,
    /// How many conversations there are at once.
    pub at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), answer: Duration::from_secs(8), body: 8 << 20, at_once: 16 }
    }
}

/// The way to the network for a whole run: its limits, and a list of all that was asked. Clones share both.
#[derive(Debug, Clone)]
pub struct Net {
    limits: Limits,
    gate: Arc<Semaphore>,
    touched: Arc<Mutex<BTreeSet<String>>>,
}

impl Default for Net {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

/// A connection, whatever it goes through.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Net {
    /// With these limits; nothing is touched yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let gate = Arc::new(Semaphore::new(limits.at_once.max(1)));
        Self { limits, gate, touched: Arc::default() }
    }

    /// What a conversation may take.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Everything that was asked so far, sorted: `GET http://192.0.2.21:2379/version`.
    #[must_use]
    pub fn touched(&self) -> Vec<String> {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(super) fn note(&self, what: String) {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner).insert(what);
    }

    /// Runs a conversation when there is room for one more, and ends it at the deadline.
    pub(super) async fn within<T>(&self, talk: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let _room: Option<OwnedSemaphorePermit> = Arc::clone(&self.gate).acquire_owned().await.ok();
        let limit = self.limits.answer;
        let late = || Failure::new(Kind::TimedOut, format!("no complete answer within {}", words(limit)));
        timeout(limit, talk).await.unwrap_or_else(|_| Err(late()))
    }

    /// Opens a connection.
    pub(super) async fn dial(
        &self,
        host: &str,
        port: u16,
        tls: Option<&TlsConnector>,
    ) -> Result<Box<dyn Stream>, Failure> {
        let stream = self.tcp(host, port).await?;
        let Some(connector) = tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Failure::new(Kind::Tls, format!("`{host}` is no name that TLS can check")))?;
        match connector.connect(name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(Failure::of_io(&error)),
        }
    }

    async fn tcp(&self, host: &str, port: u16) -> Result<TcpStream, Failure> {
        let limit = self.limits.connect;
        let late = |what: &str| Failure::new(Kind::TimedOut, format!("{what} within {}", words(limit)));
        let found = timeout(limit, tokio::net::lookup_host((host, port))).await;
        let found = found.map_err(|_| late(&format!("the name `{host}` is not resolved")))?;
        let addresses: Vec<SocketAddr> = found.map_or_else(|_| Vec::new(), Iterator::collect);
        let mut last = Failure::new(Kind::NoName, format!("the name `{host}` has no address"));
        for address in addresses {
            match timeout(limit, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = connecting(&error),
                Err(_) => last = late("no connection"),
            }
        }
        Err(last)
    }
}

fn connecting(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Failure::new(Kind::Refused, "connection refused: nothing listens there"),
        io::ErrorKind::TimedOut => Failure::new(Kind::TimedOut, "no connection: the network gave up"),
        _ => Failure::new(Kind::Unreachable, format!("no connection: {}", plain(error))),
    }
}

/// What the system says, without its number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

fn words(limit: Duration) -> String {
    format!("{} s", limit.as_secs_f32())
}
