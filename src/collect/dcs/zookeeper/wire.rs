//! The protocol of ZooKeeper between client and server, as far as reading goes: packets with their length in front, numbers
//! big-endian (`zookeeper.jute`).

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::collect::net::{Failure, Kind, Limits, Stream};
use crate::secret::Secret;

const GET_DATA: i32 = 4;
const GET_CHILDREN: i32 = 12;
const CLOSE: i32 = -11;
const AUTH: i32 = 100;

/// The number of a packet that answers no request, or a login.
const XID_EVENT: i32 = -1;
const XID_PING: i32 = -2;
const XID_AUTH: i32 = -4;

const NO_NODE: i32 = -101;
const NO_AUTH: i32 = -102;
const AUTH_FAILED: i32 = -115;

/// How long the server keeps the session without a word of us, in milliseconds: longer than we stay.
const TIMEOUT: i32 = 10_000;

/// A session that only reads.
pub(super) struct Session {
    stream: Box<dyn Stream>,
    most: usize,
    xid: i32,
}

fn io(error: &std::io::Error) -> Failure {
    Failure::of_io(error)
}

fn foreign() -> Failure {
    Failure::new(Kind::Foreign, "what answers there does not speak the protocol of ZooKeeper")
}

fn put_bytes(packet: &mut Vec<u8>, bytes: &[u8]) {
    packet.extend(i32::try_from(bytes.len()).unwrap_or(i32::MAX).to_be_bytes());
    packet.extend(bytes);
}

/// An answer that is being taken apart.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], Failure> {
        let (head, rest) = self.0.split_at_checked(len).ok_or_else(foreign)?;
        self.0 = rest;
        Ok(head)
    }

    fn int(&mut self) -> Result<i32, Failure> {
        self.take(4)?.try_into().map(i32::from_be_bytes).map_err(|_| foreign())
    }

    /// A length in front, -1 for none.
    fn bytes(&mut self) -> Result<&'a [u8], Failure> {
        match self.int()? {
            -1 => Ok(&[]),
            len => self.take(usize::try_from(len).map_err(|_| foreign())?),
        }
    }
}

impl Session {
    /// Begins a session, also with a server that has lost the others and only reads.
    pub(super) async fn open(stream: Box<dyn Stream>, limits: &Limits) -> Result<Self, Failure> {
        let mut session = Self { stream, most: limits.body, xid: 0 };
        let mut packet = Vec::new();
        packet.extend(0_i32.to_be_bytes());
        packet.extend(0_i64.to_be_bytes());
        packet.extend(TIMEOUT.to_be_bytes());
        packet.extend(0_i64.to_be_bytes());
        put_bytes(&mut packet, &[0; 16]);
        packet.push(1);
        session.send(&packet).await?;
        let answer = session.receive().await?;
        let mut reader = Reader(&answer);
        let version = reader.int()?;
        let granted = reader.int()?;
        if version != 0 {
            return Err(foreign());
        }
        if granted <= 0 {
            return Err(Failure::new(Kind::Unreachable, "it grants no session"));
        }
        Ok(session)
    }

    /// Shows who we are.
    pub(super) async fn log_in(&mut self, scheme: &str, data: &Secret) -> Result<(), Failure> {
        let mut packet = Vec::new();
        packet.extend(XID_AUTH.to_be_bytes());
        packet.extend(AUTH.to_be_bytes());
        packet.extend(0_i32.to_be_bytes());
        put_bytes(&mut packet, scheme.as_bytes());
        put_bytes(&mut packet, data.reveal().as_bytes());
        self.send(&packet).await?;
        match self.answer(XID_AUTH).await?.0 {
            0 => Ok(()),
            _ => Err(Failure::new(Kind::Denied, format!("the login by `{scheme}` fails"))),
        }
    }

    /// The names of a node's children; `None` when there is no such node.
    pub(super) async fn children(&mut self, path: &str) -> Result<Option<Vec<String>>, Failure> {
        let Some(answer) = self.ask(GET_CHILDREN, path).await? else { return Ok(None) };
        let mut reader = Reader(&answer);
        let count = reader.int()?.max(0);
        let mut names = Vec::new();
        for _ in 0..count {
            let name = std::str::from_utf8(reader.bytes()?).map_err(|_| foreign())?;
            if name.is_empty() || name.contains('/') {
                return Err(foreign());
            }
            names.push(name.to_owned());
        }
        Ok(Some(names))
    }

    /// What a node holds; `None` when there is no such node.
    pub(super) async fn data(&mut self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        let Some(answer) = self.ask(GET_DATA, path).await? else { return Ok(None) };
        Reader(&answer).bytes().map(|b| Some(b.to_vec()))
    }

    /// Ends the session, so that the server need not wait for its end. Nothing depends on the answer.
    pub(super) async fn close(mut self) {
        self.xid += 1;
        let packet = [self.xid.to_be_bytes(), CLOSE.to_be_bytes()].concat();
        if self.send(&packet).await.is_ok() {
            let _ = self.receive().await;
        }
    }

    async fn ask(&mut self, operation: i32, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.xid += 1;
        let mut packet = [self.xid.to_be_bytes(), operation.to_be_bytes()].concat();
        put_bytes(&mut packet, path.as_bytes());
        // No watch.
        packet.push(0);
        self.send(&packet).await?;
        match self.answer(self.xid).await? {
            (0, body) => Ok(Some(body)),
            (NO_NODE, _) => Ok(None),
            (NO_AUTH, _) => Err(Failure::new(Kind::Denied, format!("the right to read {path} is missing"))),
            (AUTH_FAILED, _) => Err(Failure::new(Kind::Denied, "the login fails")),
            (code, _) => Err(Failure::new(Kind::Unreachable, format!("{path} is not read: error {code}"))),
        }
    }

    /// The error and the rest of the answer with this number.
    async fn answer(&mut self, xid: i32) -> Result<(i32, Vec<u8>), Failure> {
        loop {
            let packet = self.receive().await?;
            let mut reader = Reader(&packet);
            let number = reader.int()?;
            reader.take(8)?;
            let error = reader.int()?;
            match number {
                _ if number == xid => return Ok((error, reader.0.to_vec())),
                XID_EVENT | XID_PING => {}
                _ => return Err(foreign()),
            }
        }
    }

    async fn send(&mut self, packet: &[u8]) -> Result<(), Failure> {
        let mut framed = Vec::with_capacity(packet.len() + 4);
        put_bytes(&mut framed, packet);
        self.stream.write_all(&framed).await.map_err(|e| io(&e))?;
        self.stream.flush().await.map_err(|e| io(&e))
    }

    async fn receive(&mut self) -> Result<Vec<u8>, Failure> {
        let len = self.stream.read_i32().await.map_err(|e| io(&e))?;
        let len = usize::try_from(len).map_err(|_| foreign())?;
        if len > self.most {
            return Err(foreign());
        }
        // The length is only what the server says: memory is taken as bytes come in.
        let mut packet = Vec::new();
        let wanted = u64::try_from(len).unwrap_or(u64::MAX);
        let read = (&mut self.stream).take(wanted).read_to_end(&mut packet).await.map_err(|e| io(&e))?;
        if read < len {
            return Err(Failure::new(Kind::Closed, "the connection was closed in the middle of an answer"));
        }
        Ok(packet)
    }
}
