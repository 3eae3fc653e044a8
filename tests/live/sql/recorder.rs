//! Something like a server that writes down what a client says up to its password, and then refuses it.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// Which of the listeners.
    pub(super) at: String,
    /// `user`, `database`, `options` and what else the client told.
    pub(super) told: BTreeMap<String, String>,
    /// The password, if it had one.
    pub(super) password: Option<String>,
}

/// All connections, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Recorder(Arc<Mutex<Vec<Seen>>>);

impl Recorder {
    /// What was seen since the last call; connections end before their clients do, or a moment later.
    pub(super) fn take(&self) -> Vec<Seen> {
        std::thread::sleep(Duration::from_millis(15));
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    pub(super) fn listen_tcp(&self, name: &str) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, name) = (self.clone(), name.to_owned());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
                seen.clone().note(&name, &mut stream);
            }
        });
        port
    }

    pub(super) fn listen_unix(&self, name: &str, path: &Path) {
        self.serve_unix(name, UnixListener::bind(path).unwrap());
    }

    pub(super) fn listen_abstract(&self, name: &str, path: &str) {
        let address = SocketAddr::from_abstract_name(path).unwrap();
        self.serve_unix(name, UnixListener::bind_addr(&address).unwrap());
    }

    fn serve_unix(&self, name: &str, listener: UnixListener) {
        let (seen, name) = (self.clone(), name.to_owned());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
                seen.clone().note(&name, &mut stream);
            }
        });
    }

    fn note(&self, at: &str, stream: &mut (impl Read + Write)) {
        let Some(told) = startup(stream) else { return };
        // Noted at once, so that it is there when the client is gone.
        let mut all = self.0.lock().unwrap();
        let _ = stream.write_all(&[b'R', 0, 0, 0, 8, 0, 0, 0, 3]);
        let password = password(stream);
        all.push(Seen { at: at.to_owned(), told, password });
        drop(all);
        let body = b"SFATAL\0VFATAL\0C28P01\0Mseen\0\0";
        let len = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        let _ = stream.write_all(&[&b"E"[..], &len, body].concat());
    }
}

fn number(stream: &mut impl Read) -> Option<u32> {
    let mut four = [0; 4];
    stream.read_exact(&mut four).ok()?;
    Some(u32::from_be_bytes(four))
}

fn body(stream: &mut impl Read, len: u32) -> Option<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(len).ok()?];
    stream.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn startup(stream: &mut (impl Read + Write)) -> Option<BTreeMap<String, String>> {
    loop {
        let len = number(stream)?;
        match number(stream)? {
            // Requests for encryption with TLS and with GSSAPI.
            80_877_103 | 80_877_104 => stream.write_all(b"N").ok()?,
            version if version >> 16 == 3 => {
                let bytes = body(stream, len - 8)?;
                let texts: Vec<String> =
                    bytes.split(|b| *b == 0).map(|t| String::from_utf8_lossy(t).into_owned()).collect();
                let pairs = texts.chunks(2).filter(|p| p.len() == 2 && !p[0].is_empty());
                return Some(pairs.map(|p| (p[0].clone(), p[1].clone())).collect());
            }
            _ => return None,
        }
    }
}

fn password(stream: &mut impl Read) -> Option<String> {
    let mut tag = [0];
    stream.read_exact(&mut tag).ok()?;
    let len = number(stream)?;
    let bytes = body(stream, len - 4)?;
    (tag[0] == b'p').then(|| String::from_utf8_lossy(bytes.strip_suffix(&[0]).unwrap_or(&bytes)).into_owned())
}
