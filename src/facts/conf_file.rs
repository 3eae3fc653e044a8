//! PostgreSQL's configuration: its files, or what a server tells of them.

use std::sync::Arc;

use super::gap::Gap;
use super::host_path;
use crate::parse::conf::Conf;
use crate::source::{Source, Span};

/// PostgreSQL's configuration from one main file.
#[derive(Debug)]
pub struct ConfFile {
    /// The main file; what the server answered, where that could not be read.
    pub source: Arc<Source>,
    /// With all that it includes.
    pub conf: Conf,
    told: Option<Told>,
}

/// What a server says of its main file.
#[derive(Debug)]
pub(super) struct Told {
    /// Its path on the host.
    pub(super) place: String,
    /// Where the server says so.
    pub(super) at: Span,
    /// Whether Patroni has started the server, and so has written the file.
    pub(super) by_patroni: bool,
    /// Why it was not read.
    pub(super) unread: Gap,
}

impl ConfFile {
    /// From files that were read.
    pub(super) const fn read(source: Arc<Source>, conf: Conf) -> Self {
        Self { source, conf, told: None }
    }

    /// From what a server tells.
    pub(super) const fn told(source: Arc<Source>, conf: Conf, told: Told) -> Self {
        Self { source, conf, told: Some(told) }
    }

    /// Why the files themselves were not had, where that is so: what is wrong with their lines is not known then.
    #[must_use]
    pub fn unread(&self) -> Option<&Gap> {
        self.told.as_ref().map(|told| &told.unread)
    }

    /// Whether Patroni wrote the file (`ConfigWriter.__enter__`).
    #[must_use]
    pub fn is_written_by_patroni(&self) -> bool {
        if let Some(told) = &self.told {
            return told.by_patroni;
        }
        let start = &self.source.bytes()[..self.source.bytes().len().min(200)];
        memchr::memmem::find(start, b"It will be overwritten by Patroni!").is_some()
    }

    /// Where the main file lies on its host, where that is known.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        let read = || self.source.path().and_then(host_path::on_host);
        self.told.as_ref().map(|told| told.place.clone()).or_else(read)
    }

    /// What the main file is called.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let read = || Some(self.source.path()?.file_name()?.to_str()?.to_owned());
        let told = |told: &Told| told.place.rsplit('/').next().map(str::to_owned);
        self.told.as_ref().map_or_else(read, told)
    }

    /// What stands for the file as a whole.
    #[must_use]
    pub fn at(&self) -> Span {
        self.told.as_ref().map_or_else(|| self.source.span(0, 0), |told| told.at)
    }
}
