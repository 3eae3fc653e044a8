//! Makes a connection: servers in turn, addresses in turn, with and without encryption, as libpq goes through them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::config::{ChannelBinding as Binding, SslMode as Mode, SslNegotiation};
use tokio_postgres::tls::TlsConnect;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Limits;
use super::failure::{Phase, miss};
use super::session::{Greeting, Sent, greet};
use super::target::{ChannelBinding, Server, Target, Wanted};
use super::tls::SslMode;
use super::wire::{Address, Bounded, addresses, open};
use crate::bundle::Miss;
use crate::gap::GapReason;

/// A connection that answered the first question.
pub(super) struct Connected {
    pub(super) client: Client,
    pub(super) task: JoinHandle<Result<(), tokio_postgres::Error>>,
    pub(super) address: String,
    pub(super) greeting: Greeting,
}

/// How an attempt ended.
enum Failed {
    /// libpq would go on with the next address or server.
    Next(Miss),
    /// libpq would give up.
    Stop(Miss),
}

/// Connects to the first server that answers and is what is wanted.
pub(super) async fn connect(target: &Target, limits: &Limits, end: Instant, sent: &Sent) -> Result<Connected, Miss> {
    let passes: &[Wanted] = match target.wanted {
        Wanted::PreferStandby => &[Wanted::Standby, Wanted::Any],
        Wanted::Any => &[Wanted::Any],
        Wanted::Primary => &[Wanted::Primary],
        Wanted::Standby => &[Wanted::Standby],
    };
    let mut misses: Vec<Miss> = Vec::new();
    for wanted in passes {
        for server in &target.servers {
            let found = match timeout_at(end, addresses(server)).await {
                Ok(Ok(found)) => found,
                Ok(Err(detail)) => {
                    misses.push(Miss { why: GapReason::Unreachable, detail });
                    continue;
                }
                Err(_) => return Err(late("the time for this node was over while its name was looked up")),
            };
            for address in found {
                match attempt(target, server, &address, *wanted, limits, end, sent).await {
                    Ok(connected) => return Ok(connected),
                    Err(Failed::Stop(miss)) => return Err(joined(misses, miss)),
                    Err(Failed::Next(miss)) => misses.push(miss),
                }
                if Instant::now() >= end {
                    return Err(joined(misses, late("the time for this node is over")));
                }
            }
        }
    }
    let last = misses.pop().unwrap_or_else(|| late("there is nowhere to connect to"));
    Err(joined(misses, last))
}

fn late(detail: &str) -> Miss {
    Miss { why: GapReason::TimedOut, detail: detail.to_owned() }
}

/// The last failure, with the words of those before it.
fn joined(before: Vec<Miss>, last: Miss) -> Miss {
    let mut words: Vec<String> = Vec::new();
    for miss in before.into_iter().chain([Miss { why: last.why, detail: last.detail }]) {
        if !words.contains(&miss.detail) {
            words.push(miss.detail);
        }
    }
    Miss { why: last.why, detail: words.join("; ") }
}

/// One address, first one way and then the other where `sslmode` says so.
async fn attempt(
    target: &Target,
    server: &Server,
    address: &Address,
    wanted: Wanted,
    limits: &Limits,
    end: Instant,
    sent: &Sent,
) -> Result<Connected, Failed> {
    let ways: &[Mode] = match target.tls.mode {
        _ if server.is_socket() => &[Mode::Disable],
        SslMode::Disable => &[Mode::Disable],
        SslMode::Allow => &[Mode::Disable, Mode::Require],
        SslMode::Prefer => &[Mode::Prefer, Mode::Disable],
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[Mode::Require],
    };
    let until = end.min(Instant::now() + target.connect_timeout.unwrap_or(limits.connect));
    let place = match (address, server.place.name()) {
        (Address::Tcp(ip), Some(name)) if ip.ip().to_string() != name => format!("{name} ({address})"),
        _ => address.to_string(),
    };
    let at = |miss: Miss| Miss { why: miss.why, detail: format!("{place}: {}", miss.detail) };
    let mut refused: Vec<Miss> = Vec::new();
    for way in ways {
        let once = once(target, server, address, *way, limits);
        let opened = match timeout_at(until, once).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(Once::Retry(miss))) => {
                refused.push(at(miss));
                continue;
            }
            Ok(Err(Once::Failed(Failed::Stop(miss)))) => return Err(Failed::Stop(joined(refused, at(miss)))),
            Ok(Err(Once::Failed(Failed::Next(miss)))) => return Err(Failed::Next(joined(refused, at(miss)))),
            Err(_) => return Err(Failed::Next(at(late("no connection within the time (connect_timeout)")))),
        };
        let (client, task) = opened;
        let greeting = match timeout_at(until, greet(&client, limits, sent)).await {
            Ok(Ok(greeting)) => greeting,
            Ok(Err(miss)) => return Err(Failed::Stop(at(miss))),
            Err(_) => return Err(Failed::Next(at(late("no answer within the time (connect_timeout)")))),
        };
        let unwanted = match wanted {
            Wanted::Primary if greeting.in_recovery => "is in recovery, and a primary is wanted",
            Wanted::Standby if !greeting.in_recovery => "is not in recovery, and a standby is wanted",
            _ => return Ok(Connected { client, task, address: address.to_string(), greeting }),
        };
        let detail = format!("the server {unwanted} (target_session_attrs)");
        return Err(Failed::Next(at(Miss { why: GapReason::Unreachable, detail })));
    }
    let last = refused.pop().unwrap_or_else(|| late("there is no way to connect"));
    Err(Failed::Stop(joined(refused, last)))
}

/// How one way to connect ended.
enum Once {
    /// The other way may do.
    Retry(Miss),
    Failed(Failed),
}

async fn once(
    target: &Target,
    server: &Server,
    address: &Address,
    way: Mode,
    limits: &Limits,
) -> Result<(Client, JoinHandle<Result<(), tokio_postgres::Error>>), Once> {
    let stop = |why, detail| Once::Failed(Failed::Stop(Miss { why, detail }));
    let tls = match way {
        Mode::Disable => None,
        _ => match target.tls.config(server.place.name()) {
            Ok(config) => Some(config),
            // Without a usable configuration, `prefer` does without encryption.
            Err(detail) if way == Mode::Prefer => return Err(Once::Retry(Miss { why: GapReason::Unreadable, detail })),
            Err(detail) => return Err(stop(GapReason::Unreadable, detail)),
        },
    };
    let stream = open(address, target.require_peer.as_deref()).await.map_err(|e| {
        let miss = Miss { why: GapReason::Unreachable, detail: e.to_string() };
        if e.to_string().starts_with("requirepeer") {
            stop(GapReason::Denied, miss.detail)
        } else {
            Once::Failed(Failed::Next(miss))
        }
    })?;
    let stream = Bounded::new(stream, limits.bytes);
    let config = config(target, server, way, limits);
    let Some(tls) = tls else {
        let (client, connection) =
            config.connect_raw(stream, NoTls).await.map_err(|e| judge(&e, target.tls.mode, way, false))?;
        return Ok((client, tokio::spawn(connection)));
    };
    let mut make = MakeRustlsConnect::new(tls);
    // The verifier knows the name; this one is what is told to the server.
    let told = server.place.name().filter(|n| rustls::pki_types::ServerName::try_from(*n).is_ok());
    let used = Arc::new(AtomicBool::new(false));
    let told = told.map_or_else(|| told_otherwise(address), str::to_owned);
    let Ok(inner) = tokio_postgres::tls::MakeTlsConnect::<Bounded>::make_tls_connect(&mut make, &told);
    let tls = Noting { inner, used: Arc::clone(&used) };
    let connected = config.connect_raw(stream, tls).await;
    let (client, connection) = connected.map_err(|e| judge(&e, target.tls.mode, way, used.load(Ordering::Relaxed)))?;
    Ok((client, tokio::spawn(connection)))
}

/// What stands for a host without a usable name: its address, which is not told to the server.
fn told_otherwise(address: &Address) -> String {
    match address {
        Address::Tcp(address) => address.ip().to_string(),
        Address::Unix(..) => "127.0.0.1".to_owned(),
    }
}

/// Whether libpq would try the other way, the next server, or nothing more.
fn judge(error: &tokio_postgres::Error, mode: SslMode, way: Mode, encrypted: bool) -> Once {
    let miss = miss(error, Phase::Connecting);
    let said = error.as_db_error().map(|e| e.code().code());
    // A server that starts or stops.
    if said == Some("57P03") {
        return Once::Failed(Failed::Next(miss));
    }
    let tls_failed = error.to_string().starts_with("error performing TLS");
    match (mode, way) {
        (SslMode::Allow, Mode::Disable) if said.is_some() => Once::Retry(miss),
        (SslMode::Prefer, Mode::Prefer) if tls_failed || (encrypted && said.is_some()) => Once::Retry(miss),
        _ => Once::Failed(Failed::Stop(miss)),
    }
}

fn config(target: &Target, server: &Server, way: Mode, limits: &Limits) -> Config {
    let mut config = Config::new();
    config
        .user(&target.user)
        .dbname(&target.database)
        .application_name("patroni-preflight")
        .options(limits.options(target.options.as_deref()))
        .ssl_mode(way)
        .channel_binding(match target.channel_binding {
            ChannelBinding::Disable => Binding::Disable,
            ChannelBinding::Prefer => Binding::Prefer,
            ChannelBinding::Require => Binding::Require,
        });
    if target.tls.direct {
        config.ssl_negotiation(SslNegotiation::Direct);
    }
    if let Some(password) = &server.password {
        config.password(password.reveal());
    }
    config
}

/// Notes that encryption was begun.
struct Noting<T> {
    inner: T,
    used: Arc<AtomicBool>,
}

impl<S, T: TlsConnect<S>> TlsConnect<S> for Noting<T> {
    type Stream = T::Stream;
    type Error = T::Error;
    type Future = T::Future;

    fn connect(self, stream: S) -> Self::Future {
        self.used.store(true, Ordering::Relaxed);
        self.inner.connect(stream)
    }
}
