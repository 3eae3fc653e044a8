//! Members that another one tells of: the standbys that stream from it, and the server that it streams from.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::plan::Plan;
use crate::bundle::sql::{Session, Table};
use crate::bundle::{Answer, Node};
use crate::collect::sql::{Place, Target};

/// Programs that receive WAL and are no servers.
const NO_SERVERS: [&str; 4] = ["pg_basebackup", "pg_receivewal", "barman_receive_wal", "pgbackrest"];

/// A server that was told of.
pub(super) struct Told {
    pub(super) name: String,
    pub(super) address: IpAddr,
    pub(super) port: Option<u16>,
}

/// Plans for servers that a node without configuration tells of and that are not known yet; they are asked as it was.
pub(super) fn plans(
    plan: &Plan,
    node: &Node,
    known: &mut BTreeSet<(IpAddr, u16)>,
    names: &mut BTreeSet<String>,
) -> Vec<Plan> {
    let (Some(Ok(target)), Some(Answer::Got(session))) = (&plan.target, &node.sql) else { return Vec::new() };
    let Some((own, port)) = place(target, session) else { return Vec::new() };
    known.insert((own, port));
    let mut all = Vec::new();
    for told in told(session) {
        let port = told.port.unwrap_or(port);
        if !known.insert((told.address, port)) {
            continue;
        }
        let mut name = told.name;
        if name.is_empty() || !names.insert(name.clone()) {
            name = told.address.to_string();
            names.insert(name.clone());
        }
        all.push(Plan {
            name,
            target: Some(Ok(elsewhere(target, told.address, port))),
            upgrade: plan.upgrade.clone(),
            ..Plan::default()
        });
    }
    all
}

/// The address and port that a session went to. Through a socket, or where the server does not say it, nothing is known of it.
fn place(target: &Target, session: &Session) -> Option<(IpAddr, u16)> {
    let server = target.servers.first()?;
    let row = rows(session, "server").next();
    let said = row.and_then(|row| row("server_addr")?.split('/').next()?.parse().ok());
    Some((said.unwrap_or(IpAddr::from([127, 0, 0, 1])), server.port))
}

fn elsewhere(target: &Target, address: IpAddr, port: u16) -> Target {
    let mut other = target.clone();
    other.servers.truncate(1);
    for server in &mut other.servers {
        server.place = Place::Host { name: None, address: Some(address) };
        server.port = port;
    }
    other
}

/// The servers that another one tells of.
pub(super) fn told(session: &Session) -> Vec<Told> {
    let mut all = Vec::new();
    let logical: BTreeSet<String> = rows(session, "slots")
        .filter(|row| row("slot_type") == Some("logical"))
        .filter_map(|row| row("slot_name").map(str::to_owned))
        .collect();
    for row in rows(session, "standbys") {
        let name = row("application_name").unwrap_or_default();
        let is_logical = row("slot_name").is_some_and(|slot| logical.contains(slot));
        if is_logical || row("state") == Some("backup") || NO_SERVERS.contains(&name) {
            continue;
        }
        let Some(address) = row("client_addr").and_then(|a| a.split('/').next()?.parse().ok()) else { continue };
        // What every standby is called that says nothing of itself.
        let name = if name == "walreceiver" { "" } else { name };
        all.push(Told { name: name.to_owned(), address, port: None });
    }
    for row in rows(session, "wal_receiver") {
        let Some(address) = row("sender_host").and_then(|host| host.parse().ok()) else { continue };
        let port = row("sender_port").and_then(|port| port.parse().ok());
        all.push(Told { name: String::new(), address, port });
    }
    all
}

/// The rows of an answer, as functions from a column to its value.
fn rows<'a>(session: &'a Session, question: &str) -> impl Iterator<Item = impl Fn(&str) -> Option<&'a str> + 'a> {
    let table: Option<&Table> = session.answers.get(question).and_then(Answer::got);
    table.into_iter().flat_map(|table| {
        table.rows.iter().map(move |row| {
            move |name: &str| {
                let at = table.columns.iter().position(|column| column == name)?;
                row.get(at)?.as_deref()
            }
        })
    })
}
