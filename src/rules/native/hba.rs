//! Connections that Patroni needs and `pg_hba.conf` does not let in.

pub(super) mod credentials;
pub(super) mod hba_replication_missing_for_member;
pub(super) mod hba_rewind_missing;
pub(super) mod hba_superuser_local_missing;
pub(super) mod lines;
pub(super) mod lists;
pub(super) mod own_server;
mod peers;
pub(super) mod refused;
pub(super) mod tls;

use crate::facts::HbaFile;
use crate::source::Span;

/// Where a new line would have to go.
fn place(file: &HbaFile) -> Span {
    let part = file.hba.perhaps.first().filter(|p| p.before == 0).map(|p| p.span);
    let first = part.or_else(|| file.hba.rules.first().map(|r| r.kind.span));
    first.unwrap_or_else(|| file.source.span(0, 0))
}

/// An address as a line of `pg_hba.conf` writes a single host.
fn single(address: std::net::IpAddr) -> String {
    format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 })
}
