//! What a host has for a new major of PostgreSQL: its programs, its libraries, its data directory.

use super::eye::{Ask, Eye, Reply};
use super::mask::Masker;
use super::{Limits, Manifest, Way, data, is_plain, program, wire};
use crate::bundle::upgrade::NewServer;
use crate::bundle::{Answer, Miss};
use crate::gap::GapReason;

/// Where the new major is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// Its programs.
    pub bin_dir: Option<String>,
    /// Its data.
    pub data_dir: Option<String>,
    /// Data directories of older majors.
    pub older: Vec<String>,
}

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
        Ok(server)
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

/// What is kept of the text of a configuration file: the lines that are no comments, without secrets.
#[must_use]
pub fn kept(text: &str) -> String {
    Masker::default().text(&telling(text))
}

/// The lines that are no comments.
fn telling(text: &str) -> String {
    let says = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    text.lines().filter(says).flat_map(|line| [line, "\n"]).collect()
}
