//! Patroni looks for the running server where it does not listen.

use std::net::IpAddr;

use super::today;
use crate::facts::connections::{LocalEnd, local_end};
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::nodes::{Node, Row};
use crate::facts::patroni_file::is_placeholder;
use crate::facts::running::told;
use crate::facts::{ConfFile, Facts, Member, PatroniFile, host_path};
use crate::rules::report::Report;
use crate::source::Span;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let mut servers: Vec<(&Member, &PatroniFile, Server)> = Vec::new();
    for (member, file, conf) in today::confs(facts).filter(|(member, ..)| told(facts, member).is_none()) {
        today::note_outside(member, conf, report);
        servers.push((member, file, Server::of(conf)));
    }
    for member in facts.members() {
        if let Some(node) = told(facts, member) {
            servers.push((member, &facts.patroni[member.file], Server::of_running(node)));
        }
    }
    for (member, file, server) in servers {
        let Some(listen) = file.config.listen().filter(|l| !is_placeholder(&l.value.0)) else { continue };
        let Some(end) = report.known(local_end(facts, member, "use_unix_socket")) else { continue };
        if server.port == Some(listen.value.1) {
            let Some(answers) = report.known(server.answers(&end, member)) else { continue };
            if answers {
                continue;
            }
        } else if server.port.is_none() {
            continue;
        }
        let by_socket = matches!(end, LocalEnd::Socket(_));
        let by_directory = by_socket && server.port == Some(listen.value.1);
        let probed = match &end {
            LocalEnd::Socket(None) => "its unix socket".to_owned(),
            LocalEnd::Socket(Some(dir)) => format!("the unix socket in {dir}"),
            LocalEnd::Localhost => "localhost".to_owned(),
            LocalEnd::Host(host) => host.clone(),
        };
        let mut problem = report
            .problem(listen.span)
            .node(&member.name)
            .arg("member", member.name.as_str())
            .arg("probed", probed)
            .arg("port", listen.value.1.to_string())
            .arg("today", server.words(by_socket))
            .arg("change", server.change(by_directory));
        let of_socket = server.sockets_at.into_iter().filter(|_| by_directory);
        for at in server.at.into_iter().filter(|_| !by_directory).chain(of_socket) {
            problem = problem.label(at, "the server runs with this");
        }
        report.add(problem);
    }
    Ok(())
}

/// Where a server can be reached with the settings of a file.
struct Server {
    /// `None` when that is not a number.
    port: Option<i64>,
    hosts: Vec<String>,
    /// `None`: the directory that it was built with.
    sockets: Option<Vec<String>>,
    /// Nothing of all this is written, so that the file may not be all there is.
    is_silent: bool,
    /// The directories of sockets are hidden from us.
    hides_sockets: bool,
    at: Vec<Span>,
    sockets_at: Option<Span>,
}

impl Server {
    fn of(conf: &ConfFile) -> Self {
        let written = |name: &str| conf.conf.effective(name);
        let list = |text: &str| text.split(',').map(|h| h.trim().trim_matches('"').to_owned()).collect();
        let (hosts, port) = (written("listen_addresses"), written("port"));
        Self {
            port: port.map_or(Some(5432), |p| p.set.value.value.trim().parse().ok()),
            hosts: list(&hosts.map_or_else(|| "localhost".to_owned(), |h| h.set.value.value.to_ascii_lowercase())),
            sockets: written("unix_socket_directories").map(|s| list(&s.set.value.value)),
            is_silent: hosts.is_none() && port.is_none(),
            hides_sockets: false,
            at: hosts.into_iter().chain(port).map(|l| l.set.value.span).collect(),
            sockets_at: written("unix_socket_directories").map(|s| s.set.value.span),
        }
    }

    /// As it says itself.
    fn of_running(node: &Node) -> Self {
        let row = |name: &str| node.setting(name).ok().flatten();
        let list = |text: &str| text.split(',').map(|h| h.trim().trim_matches('"').to_owned()).collect();
        let (hosts, port, sockets) = (row("listen_addresses"), row("port"), row("unix_socket_directories"));
        let text = |row: Option<&Row>| row.and_then(|row| row.get("setting")).unwrap_or_default().to_ascii_lowercase();
        Self {
            port: port.and_then(|row| row.number("setting")),
            hosts: list(&text(hosts)),
            sockets: sockets.map(|row| list(row.get("setting").unwrap_or_default())),
            is_silent: hosts.is_none(),
            hides_sockets: sockets.is_none(),
            at: hosts.into_iter().chain(port).map(|row| row.at).collect(),
            sockets_at: sockets.map(|row| row.at),
        }
    }

    /// Whether `pg_isready` gets an answer there, the port aside.
    fn answers(&self, end: &LocalEnd, member: &Member) -> Fact<bool> {
        let unknown = |what: String| Err(Gap::new(what, GapReason::NotGiven).on(&member.name));
        let has = |host: &str| self.hosts.iter().any(|h| h == host);
        let host = match end {
            LocalEnd::Socket(_) if self.hides_sockets => {
                return unknown("`unix_socket_directories` of its server".to_owned());
            }
            LocalEnd::Socket(None) => return Ok(true),
            LocalEnd::Socket(Some(dir)) => return Ok(self.has_socket(dir)),
            LocalEnd::Localhost => "localhost",
            LocalEnd::Host(host) => host,
        };
        let ip: Option<IpAddr> = host.parse().ok();
        let is_local = host == "localhost" || ip.is_some_and(|ip| ip.is_loopback());
        let any_of_family = match ip {
            Some(IpAddr::V4(_)) => has("0.0.0.0"),
            Some(IpAddr::V6(_)) => has("::"),
            None => has("0.0.0.0") || has("::"),
        };
        let by_localhost = match host {
            "localhost" => has("127.0.0.1") || has("::1"),
            _ => is_local && has("localhost"),
        };
        if has("*") || has(&host.to_ascii_lowercase()) || any_of_family || by_localhost {
            return Ok(true);
        }
        if self.is_silent {
            return unknown("`listen_addresses` of its server".to_owned());
        }
        let name = |h: &&String| h.parse::<IpAddr>().is_err() && *h != "localhost" && !h.is_empty();
        match self.hosts.iter().find(name) {
            Some(other) => unknown(format!("the address of `{other}`")),
            None if ip.is_none() && !is_local => unknown(format!("the address of `{host}`")),
            None => Ok(false),
        }
    }

    fn has_socket(&self, dir: &str) -> bool {
        let plain = |d: &str| host_path::below_run(d).unwrap_or_else(|| host_path::normal(d));
        self.sockets.as_ref().is_none_or(|all| all.iter().any(|d| plain(d) == plain(dir)))
    }

    fn port(&self) -> String {
        self.port.map_or_else(|| "?".to_owned(), |p| p.to_string())
    }

    fn words(&self, by_socket: bool) -> String {
        let port = self.port();
        let hosts: Vec<&str> = self.hosts.iter().map(String::as_str).filter(|h| !h.is_empty()).collect();
        match &self.sockets {
            Some(dirs) if by_socket => format!("the server has its sockets in {}, port {port}", dirs.join(", ")),
            None if by_socket => format!("the server has port {port}"),
            _ if hosts.is_empty() => "the server listens on no address".to_owned(),
            _ => format!("the server listens on {}, port {port}", hosts.join(",")),
        }
    }

    /// What Patroni has to be told so that nothing changes.
    fn change(&self, directory: bool) -> String {
        match &self.sockets {
            Some(dirs) if directory => {
                format!("`unix_socket_directories: {}` below `postgresql.parameters`", dirs.join(","))
            }
            _ => format!("`postgresql.listen: '{}:{}'`", self.hosts.join(","), self.port()),
        }
    }
}
