//! Patroni looks for the running server where it does not listen.

use std::net::IpAddr;

use super::today;
use crate::bundle::host::{Listener, Place};
use crate::facts::connections::{LocalEnd, local_end};
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::nodes::{Node, Row};
use crate::facts::patroni_file::is_placeholder;
use crate::facts::running::told;
use crate::facts::{ConfFile, Facts, Member, PatroniFile, host_path};
use crate::problem::Problem;
use crate::rules::native::on_host::OnHost;
use crate::rules::report::Report;
use crate::source::{Span, Spanned};

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    // What the server says of itself goes first, then what its host shows, then the file.
    for live in facts.live().filter(|live| live.member.is_none_or(|member| told(facts, member).is_none())) {
        let Ok(Some(running)) = OnHost::of(facts, live).and_then(|on| Running::on(&on)) else { continue };
        let looked = of_running(facts, &running, report);
        report.known(looked);
    }
    let mut servers: Vec<(&Member, &PatroniFile, Server)> = Vec::new();
    let by_file = |member: &Member| told(facts, member).is_none() && !is_running(facts, member);
    for (member, file, conf) in today::confs(facts).filter(|(member, ..)| by_file(member)) {
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
        let found = problem(report, member, &listen, &end, server);
        report.add(found);
    }
    Ok(())
}

fn problem(
    report: &Report,
    member: &Member,
    listen: &Spanned<(String, i64)>,
    end: &LocalEnd,
    server: Server,
) -> Problem {
    let by_socket = matches!(end, LocalEnd::Socket(_));
    let by_directory = by_socket && server.port == Some(listen.value.1);
    let probed = match end {
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
    problem
}

/// Whether the server of a member runs and what it listens on is known.
fn is_running(facts: &Facts, member: &Member) -> bool {
    let mut live = facts.live().filter(|live| live.member.is_some_and(|m| m.file == member.file));
    live.any(|live| matches!(OnHost::of(facts, live).and_then(|on| Running::on(&on)), Ok(Some(_))))
}

/// A server that runs in the data directory of a member, and all that it listens on.
struct Running<'a> {
    on: OnHost<'a>,
    listeners: Vec<(usize, &'a Listener)>,
}

impl<'a> Running<'a> {
    /// `None` when none runs.
    fn on(on: &OnHost<'a>) -> Fact<Option<Self>> {
        let Some((_, data)) = on.data()? else { return Ok(None) };
        let Some(pid) = on.server_in(data)? else { return Ok(None) };
        let mut listeners = Vec::new();
        for (n, listener) in on.listeners()?.iter().enumerate() {
            // Other programs may hide theirs.
            if listener.holders.got().is_some_and(|all| all.iter().any(|h| h.pid == pid)) {
                listeners.push((n, listener));
            }
        }
        if listeners.is_empty() {
            return on.gap("what the server listens on");
        }
        Ok(Some(Self { on: *on, listeners }))
    }

    fn server(&self) -> Server {
        let mut server = Server {
            port: None,
            hosts: Vec::new(),
            sockets: None,
            is_silent: false,
            hides_sockets: false,
            at: Vec::new(),
            sockets_at: None,
        };
        for (n, listener) in &self.listeners {
            let at = self.on.host.at(&["listeners", &n.to_string()]);
            match &listener.at {
                Place::Tcp { address, port } => {
                    server.port = Some(i64::from(*port));
                    server.hosts.push(address.clone());
                    server.at.push(at);
                }
                Place::Unix(path) => {
                    server.sockets.get_or_insert_default().push(host_path::parent(path).to_owned());
                    server.sockets_at = Some(at);
                    server.port = server.port.or_else(|| path.rsplit('.').next()?.parse().ok());
                }
            }
        }
        server
    }

    /// Whether `pg_isready` gets an answer at a place.
    fn answers(&self, end: &LocalEnd, port: i64) -> Fact<bool> {
        let has_socket = |dir: Option<&str>| {
            let plain = |d: &str| host_path::below_run(d).unwrap_or_else(|| host_path::normal(d));
            let name = format!(".s.PGSQL.{port}");
            self.listeners.iter().any(|(_, l)| {
                let Place::Unix(path) = &l.at else { return false };
                path.ends_with(&format!("/{name}"))
                    && dir.is_none_or(|dir| plain(dir) == plain(host_path::parent(path)))
            })
        };
        let host = match end {
            LocalEnd::Socket(dir) => return Ok(has_socket(dir.as_deref())),
            LocalEnd::Localhost => "localhost",
            LocalEnd::Host(host) => host,
        };
        let wanted = self.on.resolved(&host.to_ascii_lowercase())?;
        let answers = |address: &str| {
            let same = |w: &String| {
                w == address || (address == "0.0.0.0" && !w.contains(':')) || (address == "::" && !wanted.is_empty())
            };
            wanted.iter().any(same)
        };
        Ok(self.listeners.iter().any(
            |(_, l)| matches!(&l.at, Place::Tcp { address, port: p } if i64::from(*p) == port && answers(address)),
        ))
    }
}

/// The same of a server that runs, by what it really listens on.
fn of_running(facts: &Facts, running: &Running<'_>, report: &mut Report) -> Fact<()> {
    let (member, config) = (running.on.member, &running.on.file.config);
    let Some(listen) = config.listen().filter(|l| !is_placeholder(&l.value.0)) else { return Ok(()) };
    let end = local_end(facts, member, "use_unix_socket")?;
    if !running.answers(&end, listen.value.1)? {
        let found = problem(report, member, &listen, &end, running.server());
        report.add(found);
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
