//! The bytes to and from a server: sockets of each kind, and how much a server may send.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::environment::user_name;
use super::target::{Place, Server};

/// An address that a server may answer at.
#[derive(Debug, Clone)]
pub(super) enum Address {
    /// TCP.
    Tcp(SocketAddr),
    /// The directory of a unix socket, and the port in its name.
    Unix(String, u16),
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(dir, port) => write!(f, "{dir}:{port}"),
        }
    }
}

/// The addresses of a server.
///
/// # Errors
/// When its name is not known.
pub(super) async fn addresses(server: &Server) -> Result<Vec<Address>, String> {
    let port = server.port;
    let name = match &server.place {
        Place::Socket(dir) => return Ok(vec![Address::Unix(dir.clone(), port)]),
        Place::DefaultSocket(dirs) => {
            let exists = |dir: &&String| std::path::Path::new(&socket_path(dir, port)).exists();
            let dir = dirs.iter().find(exists).or(dirs.first());
            return Ok(dir.map(|dir| Address::Unix(dir.clone(), port)).into_iter().collect());
        }
        Place::Host { address: Some(ip), .. } => return Ok(vec![Address::Tcp(SocketAddr::new(*ip, port))]),
        Place::Host { name, address: None } => name.as_deref().unwrap_or_default(),
    };
    let failed = |e: io::Error| format!("could not translate host name \"{name}\" to address: {e}");
    let found: Vec<Address> = tokio::net::lookup_host((name, port)).await.map_err(failed)?.map(Address::Tcp).collect();
    if found.is_empty() { Err(format!("host name \"{name}\" has no address")) } else { Ok(found) }
}

fn socket_path(dir: &str, port: u16) -> String {
    format!("{dir}/.s.PGSQL.{port}")
}

/// What is common to all kinds of sockets.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Connects to an address.
///
/// # Errors
/// What the system says, or that the process at the other end is not that of the user that it must be.
pub(super) async fn open(address: &Address, require_peer: Option<&str>) -> io::Result<Box<dyn Stream>> {
    match address {
        Address::Tcp(address) => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream))
        }
        Address::Unix(dir, port) => {
            let path = socket_path(dir, *port);
            // The name of an abstract socket begins with a zero byte.
            let path = path.strip_prefix('@').map_or_else(|| path.clone(), |name| format!("\0{name}"));
            let stream = UnixStream::connect(path).await?;
            if let Some(wanted) = require_peer {
                let uid = stream.peer_cred()?.uid();
                let is = user_name(uid).unwrap_or_else(|| uid.to_string());
                if is != wanted {
                    let words = format!("requirepeer specifies \"{wanted}\", but actual peer user name is \"{is}\"");
                    return Err(io::Error::new(io::ErrorKind::PermissionDenied, words));
                }
            }
            Ok(Box::new(stream))
        }
    }
}

/// A stream from which only so much is read.
pub(super) struct Bounded {
    inner: Box<dyn Stream>,
    left: usize,
}

impl Bounded {
    pub(super) const fn new(inner: Box<dyn Stream>, most: usize) -> Self {
        Self { inner, left: most }
    }
}

impl AsyncRead for Bounded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        match self.left.checked_sub(buf.filled().len() - before) {
            Some(left) => self.left = left,
            None => return Poll::Ready(Err(io::Error::other("the server sends more than is read from a server"))),
        }
        read
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
