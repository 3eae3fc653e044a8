//! What is known before anything is asked: which members there are, and how each is reached.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, ToSocketAddrs as _, UdpSocket};
use std::path::{Path, PathBuf};

use super::questions::Script;
use super::{Request, login, questions, reach, upgrade};
use crate::bundle::upgrade::{Ready, Upgrade};
use crate::bundle::{Answer, Bundle, FileText, Miss, Node};
use crate::cli::Named;
use crate::collect::host::{Questions, Way};
use crate::collect::kind::Kind;
use crate::collect::recorded::{Recorded, root};
use crate::collect::sql::Target;
use crate::collect::{disk, own};
use crate::facts::layout::Layout;
use crate::facts::{self, Facts, nodes};
use crate::gap::GapReason;
use crate::parse::patroni::Patroni;
use crate::source::SourceMap;
use crate::source::path::normal;

/// How one member is asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    /// Its name.
    pub(super) name: String,
    /// Its configuration, as an index of [`Facts::patroni`].
    pub(super) file: Option<usize>,
    /// The texts of that, by path.
    pub(super) texts: BTreeMap<String, Answer<Option<FileText>>>,
    /// Whether it is a member of this machine.
    pub(super) is_here: bool,
    /// How its server is reached; `None` when nobody says.
    pub(super) target: Option<Result<Target, Miss>>,
    /// How its host is reached; `None` when nobody says.
    pub(super) way: Option<Way>,
    /// What its host is asked, as far as its configuration tells.
    pub(super) questions: Questions,
    /// The major upgrade that is meant, and where the new major is.
    pub(super) upgrade: Option<(Upgrade, Ready)>,
    /// The scripts that commands of its configuration may run.
    pub(super) scripts: BTreeSet<Script>,
    /// The files of access rules and user name maps that its configuration makes the server read, with what they are.
    pub(super) access_files: Vec<(String, Kind)>,
    /// The ports of its server and its REST API, as its configuration tells.
    pub(super) ports: [Option<i64>; 2],
}

/// All of them.
#[derive(Debug)]
pub(super) struct Plans {
    /// In order of their names.
    pub(super) plans: Vec<Plan>,
    /// What their configuration says.
    pub(super) facts: Facts,
}

impl Plans {
    /// What the user should know of the ways to servers.
    pub(super) fn warnings(&self) -> Vec<String> {
        let targets = self.plans.iter().filter_map(|plan| plan.target.as_ref()?.as_ref().ok());
        let all: BTreeSet<&String> = targets.flat_map(|target| &target.warnings).collect();
        all.into_iter().cloned().collect()
    }
}

/// Reads the configuration of members, and finds out how each is reached.
pub(super) fn plan(request: &Request) -> Result<Plans, String> {
    let texts: Vec<BTreeMap<String, Answer<Option<FileText>>>> =
        request.files.iter().map(|given| texts(&given.path)).collect::<Result<_, _>>()?;
    let facts = read(&texts, request);
    let mut plans: Vec<Plan> = Vec::new();
    for (i, texts) in texts.into_iter().enumerate() {
        let own = root(&number(i));
        let file = facts.patroni.iter().position(|f| f.source.path().is_some_and(|path| path.starts_with(&own)));
        let named = file.and_then(|f| Some(facts.patroni[f].config.name()?.value.to_owned()));
        let given = &request.files[i];
        let stem = || given.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        // A slash parts a cluster of an inventory from its member.
        let own = || named.unwrap_or_else(stem).replace('/', "_");
        let mut name = given.key.clone().unwrap_or_else(own);
        if plans.iter().any(|p| p.name == name) {
            name = given.path.display().to_string().replace('/', "_");
        }
        plans.push(Plan {
            name,
            file,
            texts,
            is_here: file.is_some_and(|f| is_here(&facts.patroni[f].config)),
            ..Plan::default()
        });
    }
    for dsn in &request.dsns {
        if !plans.iter().any(|p| p.name == dsn.name) {
            if request.files.iter().any(|given| given.key.is_none()) {
                return Err(no_member("--dsn", dsn, &plans));
            }
            plans.push(Plan { name: dsn.name.clone(), ..Plan::default() });
        }
    }
    ways(request, &mut plans)?;
    let peers = questions::names(plans.iter().filter_map(|p| Some(&facts.patroni[p.file?].config)));
    let configs: Vec<Option<&Patroni>> = plans.iter().map(|p| Some(&facts.patroni[p.file?].config)).collect();
    for plan in &mut plans {
        let config = plan.file.map(|f| &facts.patroni[f].config);
        plan.target = target(request, plan, config)?;
        plan.questions = config.map(questions::of_configuration).unwrap_or_default();
        plan.questions.names.clone_from(&peers);
        plan.upgrade = request.upgrade.clone().map(|meant| (meant.clone(), upgrade::places(&meant, config)));
        plan.ports = config.map(reach::ports).unwrap_or_default();
        plan.scripts = config.map(questions::scripts).unwrap_or_default();
        plan.access_files = config.map(questions::access_files).unwrap_or_default();
        plan.questions.reach =
            config.map(|own| reach::places(own, configs.iter().flatten().copied())).unwrap_or_default();
        // What was given is the file itself, or its copy from the same place.
        plan.questions.paths.extend(plan.texts.keys().cloned());
    }
    plans.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Plans { plans, facts })
}

/// How the hosts are reached.
fn ways(request: &Request, plans: &mut [Plan]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for (option, list) in [("--ssh", &request.ssh), ("--root", &request.roots)] {
        for named in list {
            let Some(at) = plans.iter().position(|p| p.name == named.name) else {
                return Err(no_member(option, named, plans));
            };
            if !seen.insert(at) {
                return Err(format!("{option} {}=…: there are two ways to the host of this member", named.name));
            }
            plans[at].is_here = false;
            plans[at].way = Some(if option == "--root" {
                Way::Root(PathBuf::from(&named.value))
            } else {
                let target = std::iter::once(named.value.clone());
                Way::Through(request.ssh_command.iter().cloned().chain(target).collect())
            });
        }
    }
    for plan in plans.iter_mut().filter(|p| p.is_here) {
        plan.way = Some(Way::Here);
    }
    Ok(())
}

fn no_member(option: &str, named: &Named, plans: &[Plan]) -> String {
    let members: Vec<&str> = plans.iter().map(|p| p.name.as_str()).collect();
    format!("{option} {}=…: no member is called so; there are: {}", named.name, members.join(", "))
}

/// How a server is reached: as it was said, or as Patroni itself would log in.
fn target(request: &Request, plan: &Plan, config: Option<&Patroni>) -> Result<Option<Result<Target, Miss>>, String> {
    if let Some(dsn) = request.dsns.iter().find(|d| d.name == plan.name) {
        let target = Target::new(&dsn.value, &request.environment);
        return target.map(|t| Some(Ok(t))).map_err(|why| format!("--dsn {}=…: {why}", plan.name));
    }
    let Some(config) = config else { return Ok(None) };
    if matches!(plan.way, Some(Way::Root(_))) {
        return Ok(None);
    }
    let target = login::dsn(config, plan.is_here).and_then(|dsn| {
        let unusable = |why| Miss { why: GapReason::Unreadable, detail: format!("Patroni's login: {why}") };
        Target::new(&dsn, &login::surroundings(&request.environment)).map_err(unusable)
    });
    Ok(Some(target))
}

/// The texts of a configuration: a file, or the files of a directory that Patroni reads.
fn texts(path: &Path) -> Result<BTreeMap<String, Answer<Option<FileText>>>, String> {
    let files = if path.is_dir() {
        own::yaml_files(path)?
    } else {
        let text = own::text(path).map_err(|why| format!("{}: {why}", path.display()))?;
        vec![(path.to_path_buf(), text)]
    };
    let file = |(path, text): (PathBuf, String)| {
        let absolute = std::path::absolute(&path).map_or_else(|_| path.clone(), |p| normal(&p));
        let given = Some(path.display().to_string());
        let mode = disk::mode(&path);
        let file = FileText { text, kind: Some("patroni.yml".to_owned()), given, mode };
        (absolute.display().to_string(), Answer::Got(Some(file)))
    };
    Ok(files.into_iter().map(file).collect())
}

fn number(i: usize) -> String {
    i.to_string()
}

/// What the configuration of all members says, each below its number.
fn read(texts: &[BTreeMap<String, Answer<Option<FileText>>>], request: &Request) -> Facts {
    let node =
        |(i, files): (usize, &BTreeMap<String, _>)| (number(i), Node { files: files.clone(), ..Node::default() });
    let nodes = texts.iter().enumerate().map(node).collect();
    let bundle = Bundle::of_nodes(nodes);
    let (sources, recorded) = (SourceMap::default(), Recorded::new(&bundle));
    let gathered = recorded.gather(&sources);
    let layout = Layout { options: request.options, ..Layout::default() };
    facts::build(sources, gathered, nodes::Collected::default(), &recorded, &layout)
}

/// Whether a member is one of this machine: its address is ours.
fn is_here(config: &Patroni) -> bool {
    let address = config.connect_address().or_else(|| config.listen()).map(|a| a.value.0);
    let Some(host) = address else { return false };
    let host = host.split(',').next().unwrap_or_default().trim().trim_matches(['[', ']']);
    let host = if matches!(host, "*" | "0.0.0.0" | "::") { "127.0.0.1" } else { host };
    let addresses: Vec<IpAddr> =
        (host, 0).to_socket_addrs().map(|all| all.map(|a| a.ip()).collect()).unwrap_or_default();
    // Nothing is sent: binding tells whether an address is ours.
    addresses.into_iter().any(|address| UdpSocket::bind((address, 0)).is_ok())
}
