//! What a host has for a new major of PostgreSQL: its programs, its libraries, its data directory and the configuration there.

use std::collections::{BTreeMap, BTreeSet};

use super::eye::{Ask, Eye, Reply};
use super::mask::Masker;
use super::{Limits, Manifest, Way, data, is_plain, program, wire};
use crate::bundle::upgrade::NewServer;
use crate::bundle::{Answer, Miss};
use crate::gap::GapReason;
use crate::parse::conf::{self, Directive, IncludeKind};
use crate::source::{Origin, SourceMap};

/// Where the new major is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Its programs.
    pub bin_dir: Option<String>,
    /// Its data.
    pub data_dir: Option<String>,
    /// Its configuration.
    pub config_dir: Option<String>,
    /// Data directories of older majors.
    pub older: Vec<String>,
}

/// How often files may name further files.
const ROUNDS: usize = 4;

/// Looks at what is there.
pub async fn look(way: &Way, places: &Places, limits: Limits) -> (Answer<NewServer>, Manifest) {
    let eye = Eye { way, limits, manifest: Manifest::default(), clock: None };
    let mut look = Look { eye, masker: Masker::default() };
    let server = look.all(places).await.and_then(|server| {
        let broken =
            |e: serde_json::Error| Miss { why: GapReason::Unreadable, detail: format!("an error of ours: {e}") };
        let mut value = serde_json::to_value(&server).map_err(broken)?;
        look.masker.scrub(&mut value);
        serde_json::from_value(value).map_err(broken)
    });
    (server.into(), look.eye.manifest)
}

struct Look<'a> {
    eye: Eye<'a>,
    masker: Masker,
}

/// What configuration files name.
#[derive(Default)]
struct Named {
    files: BTreeSet<String>,
    directories: BTreeSet<String>,
}

impl Look<'_> {
    async fn all(&mut self, places: &Places) -> Result<NewServer, Miss> {
        let (bin, data_dir) = (plain(places.bin_dir.as_deref()), plain(places.data_dir.as_deref()));
        let mut ask = Ask::default();
        let programs = bin.map(|dir| {
            let config = program::as_owner(&[&format!("{dir}/pg_config"), "--pkglibdir"]);
            (program::Questions::add(&mut ask, dir), ask.add(config))
        });
        let data = data_dir.map(|dir| data::Questions::add(&mut ask, dir));
        let older = places.older.iter().filter_map(|dir| plain(Some(dir)));
        let older = older.map(|dir| format!("{dir}/patroni.dynamic.json")).map(|file| (ask.stat(&file), file));
        let older: Vec<(usize, String)> = older.collect();
        let replies = self.eye.ask(ask).await?;
        let mut server = NewServer::default();
        let mut libraries = Err(Miss { why: GapReason::NotGiven, detail: "its directory is not known".to_owned() });
        if let Some((questions, config)) = &programs {
            server.programs = questions.read(&replies);
            libraries = wire::out(&replies[*config]).map(|dir| dir.trim().to_owned());
        }
        if let Some(questions) = &data {
            server.data = questions.read(&replies, &mut self.masker);
        }
        server.before = older.into_iter().map(|(at, file)| (file, wire::entry(&replies[at]))).collect();
        let mut ask = Ask::default();
        let listed = libraries.map(|dir| ask.list(dir));
        let version = server.programs.version.got().cloned().unwrap_or_default();
        let bins: Vec<(String, String)> = bin.map(|dir| (dir.to_owned(), version)).into_iter().collect();
        let later = data_dir.map(|dir| data::Later::add(&mut ask, dir, &server.data, &bins, false));
        let replies = if ask.len() > 0 { self.again(ask).await } else { Vec::new() };
        server.libraries = listed
            .and_then(|at| {
                let absent = || Miss { why: GapReason::NotGiven, detail: "there is no such directory".to_owned() };
                wire::names(&replies[at])?.ok_or_else(absent)
            })
            .into();
        if let Some(later) = later {
            let not_running = Err(Miss { why: GapReason::NotGiven, detail: "not asked".to_owned() });
            later.read(&mut server.data, &replies, &not_running);
        }
        let mut named = Named::default();
        if let Some(dir) = plain(places.config_dir.as_deref()) {
            named.files.extend([format!("{dir}/postgresql.conf"), format!("{dir}/pg_hba.conf")]);
        }
        named.files.extend(data_dir.map(|dir| format!("{dir}/postgresql.auto.conf")));
        server.files = self.configuration(named).await;
        Ok(server)
    }

    /// The configuration files, and those that they include.
    async fn configuration(&mut self, mut named: Named) -> BTreeMap<String, Answer<Option<String>>> {
        let mut files = BTreeMap::new();
        for _ in 0..ROUNDS {
            named.files.retain(|path| !files.contains_key(path));
            if named.files.is_empty() && named.directories.is_empty() {
                break;
            }
            let mut ask = Ask::default();
            let texts: Vec<_> = named.files.iter().map(|path| (path.clone(), ask.read(path))).collect();
            let lists: Vec<_> = named.directories.iter().map(|dir| (dir.clone(), ask.list(dir))).collect();
            let replies = self.again(ask).await;
            let mut next = Named::default();
            for (dir, at) in lists {
                let listed = wire::names(&replies[at]);
                if let Err(miss) = &listed {
                    files.insert(dir.clone(), Answer::Missing(miss.clone()));
                }
                let is_conf = |name: &str| name.rsplit_once('.').is_some_and(|(_, ending)| ending == "conf");
                let is_read = |name: &String| !name.starts_with('.') && is_conf(name);
                next.files.extend(
                    listed
                        .ok()
                        .flatten()
                        .unwrap_or_default()
                        .into_iter()
                        .filter(is_read)
                        .map(|name| format!("{dir}/{name}")),
                );
            }
            for (path, at) in texts {
                let text = wire::text(&replies[at]);
                if let Ok(Some(text)) = &text
                    && !path.ends_with("/pg_hba.conf")
                {
                    includes(&path, text, &mut next);
                }
                let said = text.map(|text| text.map(|text| self.masker.text(&telling(&text))));
                files.insert(path, said.into());
            }
            named = next;
        }
        // There may be more than were read.
        let unread = || Answer::missing(GapReason::NotGiven, "too many files include others");
        files.extend(named.files.into_iter().chain(named.directories).map(|path| (path, unread())).collect::<Vec<_>>());
        files
    }

    async fn again(&mut self, ask: Ask) -> Vec<Reply> {
        let count = ask.len();
        self.eye.ask(ask).await.unwrap_or_else(|miss| vec![Err(miss); count])
    }
}

fn plain(dir: Option<&str>) -> Option<&str> {
    dir.filter(|dir| is_plain(dir)).map(trimmed)
}

fn trimmed(dir: &str) -> &str {
    match dir.trim_end_matches('/') {
        "" => "/",
        dir => dir,
    }
}

/// The lines that are no comments.
fn telling(text: &str) -> String {
    let says = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    text.lines().filter(says).flat_map(|line| [line, "\n"]).collect()
}

/// What a file includes.
fn includes(path: &str, text: &str, named: &mut Named) {
    let source = SourceMap::default().add(Origin::Virtual(path.to_owned()), path, text.as_bytes().to_vec());
    let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
    for directive in conf::parse(&source).tree {
        let Directive::Include(include) = directive else { continue };
        let written = &include.path.value;
        let place = if written.starts_with('/') { written.clone() } else { format!("{dir}/{written}") };
        match include.kind {
            IncludeKind::Dir => named.directories.insert(trimmed(&place).to_owned()),
            IncludeKind::File | IncludeKind::IfExists => named.files.insert(place),
        };
    }
}
