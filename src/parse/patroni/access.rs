//! The values that most readers ask for.

use super::item::{Item, ItemValue, Type};
use super::paths::Led;
use super::{Patroni, split_host_port};
use crate::knowledge::patroni::DCS_SECTIONS;
use crate::source::Spanned;

impl Patroni {
    /// The value at a path such as `postgresql.authentication.superuser.username`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Item> {
        match self.paths.follow(&self.root, path) {
            Led::To(item) => Some(item),
            Led::Nowhere => None,
            Led::Unknown => self.root.at(path),
        }
    }

    /// Whether it is certain that there is nothing at a path: the file could be read there, and no template puts anything there.
    #[must_use]
    pub fn is_absent(&self, path: &str) -> bool {
        if self.settled {
            return self.complete && self.get(path).is_none();
        }
        let mut here = self.root();
        for key in path.split('.') {
            match here.get(key) {
                Some(next) => here = next,
                None => return self.is_complete() && !here.open && here.kind() != Type::Unknown,
            }
        }
        false
    }

    /// Whether everything is certain: all of it could be read, and no template decides anything.
    #[must_use]
    pub const fn is_certain(&self) -> bool {
        self.settled && self.complete
    }

    /// Whether it is certain what stands at a path, be it nothing: no template decides its value or whether it is there. What a
    /// map or list holds may still be open.
    #[must_use]
    pub fn is_decided(&self, path: &str) -> bool {
        if self.settled {
            return self.complete || self.get(path).is_some();
        }
        let mut here = self.root();
        for key in path.split('.') {
            match here.get(key) {
                Some(next) if next.optional || next.kind() == Type::Unknown => return false,
                Some(next) => here = next,
                None => return self.is_absent(path),
            }
        }
        true
    }

    fn text(&self, path: &str) -> Option<Spanned<&str>> {
        let item = self.get(path)?;
        item.as_str().map(|text| Spanned::new(text, item.span))
    }

    /// The name of the member; `postgresql.name` when there is none at the top.
    #[must_use]
    pub fn name(&self) -> Option<Spanned<&str>> {
        match self.get("name") {
            Some(_) => self.text("name"),
            None => self.text("postgresql.name"),
        }
    }

    /// The name of the cluster.
    #[must_use]
    pub fn scope(&self) -> Option<Spanned<&str>> {
        self.text("scope")
    }

    /// The path in the DCS above the cluster, with one slash in front and none behind (`/service`), as
    /// `dcs/__init__.py:AbstractDCS.__init__` builds it. `None` when it is no string.
    #[must_use]
    pub fn namespace(&self) -> Option<String> {
        let (section, _) = self.dcs()?;
        let own = self.root().get(section).and_then(|s| s.get("namespace"));
        // The one at the top is written over that of the section.
        let item = self.get("namespace").or(own);
        let raw = match item.map(|i| &i.value) {
            None if !self.is_absent("namespace") => return None,
            None => "service",
            Some(ItemValue::Str(text)) => text,
            // `config[name] = deepcopy(value) if value else {}`: Patroni then fails to join the path.
            Some(_) => return None,
        };
        if raw.is_empty() && self.get("namespace").is_some() {
            return None;
        }
        let mut path = String::from("/");
        for c in raw.chars() {
            if c != '/' || !path.ends_with('/') {
                path.push(c);
            }
        }
        let kept = path.trim_end_matches('/').len();
        path.truncate(kept);
        Some(path)
    }

    /// Where the cluster lies in the DCS: namespace, slash, scope.
    #[must_use]
    pub fn dcs_path(&self) -> Option<String> {
        let scope = self.scope()?.value;
        let joined = format!("{}/{scope}", self.namespace()?);
        let mut path = String::with_capacity(joined.len());
        for c in joined.chars() {
            if c != '/' || !path.ends_with('/') {
                path.push(c);
            }
        }
        Some(path)
    }

    /// Hosts and port that PostgreSQL listens on.
    #[must_use]
    pub fn listen(&self) -> Option<Spanned<(String, i64)>> {
        self.address("postgresql.listen", 5432)
    }

    /// Host and port that other members are told; `None` when it is not set, and Patroni then makes it of `listen`.
    #[must_use]
    pub fn connect_address(&self) -> Option<Spanned<(String, i64)>> {
        self.address("postgresql.connect_address", 5432)
    }

    /// Host and port at a path.
    #[must_use]
    pub fn address(&self, path: &str, default_port: i64) -> Option<Spanned<(String, i64)>> {
        let text = self.text(path)?;
        split_host_port(text.value, default_port).map(|pair| Spanned::new(pair, text.span))
    }

    /// The data directory as it is written.
    #[must_use]
    pub fn data_dir(&self) -> Option<Spanned<&str>> {
        self.text("postgresql.data_dir")
    }

    /// Where `postgresql.conf` lies as it is written; the data directory when it is not set or empty. `None` when that is not
    /// certain.
    #[must_use]
    pub fn config_dir(&self) -> Option<Spanned<&str>> {
        let path = "postgresql.config_dir";
        let own = self.text(path).filter(|d| !d.value.is_empty());
        own.or_else(|| self.data_dir().filter(|_| self.is_decided(path)))
    }

    /// Where the programs of PostgreSQL lie; `None` when that is left to `PATH`.
    #[must_use]
    pub fn bin_dir(&self) -> Option<Spanned<&str>> {
        self.text("postgresql.bin_dir").filter(|d| !d.value.is_empty())
    }

    /// The section that Patroni takes its DCS from and its value: the first one that is there, by name. `zookeeper` with `exhibitor` inside counts
    /// as `exhibitor` (`config.py:Config._build_effective_configuration`). Patroni passes over sections whose Python client is not
    /// installed, which a file cannot tell.
    #[must_use]
    pub fn dcs(&self) -> Option<(&'static str, &Item)> {
        let nested = self.get("zookeeper.exhibitor");
        DCS_SECTIONS.into_iter().find_map(|section| {
            let item = match section {
                "exhibitor" => nested.or_else(|| self.get("exhibitor")),
                "zookeeper" if nested.is_some() => None,
                _ => self.get(section),
            };
            item.map(|i| (section, i))
        })
    }

    /// Whether it is certain that [`Self::dcs`] is the section that counts: a template decides about none before it.
    #[must_use]
    pub fn is_dcs_decided(&self) -> bool {
        let kind = self.dcs_kind();
        DCS_SECTIONS.iter().take_while(|s| Some(**s) != kind).chain(kind.iter()).all(|s| self.is_decided(s))
    }

    /// The name of [`Self::dcs`].
    #[must_use]
    pub fn dcs_kind(&self) -> Option<&'static str> {
        self.dcs().map(|(kind, _)| kind)
    }

    /// What a new cluster gets as its dynamic configuration.
    #[must_use]
    pub fn bootstrap_dcs(&self) -> Option<&Item> {
        self.get("bootstrap.dcs")
    }

    /// Local settings of PostgreSQL.
    #[must_use]
    pub fn parameters(&self) -> Option<&Item> {
        self.get("postgresql.parameters")
    }

    /// Permanent slots of a new cluster, under the first of the names that Patroni asks for
    /// (`global_config.py:GlobalConfig.permanent_slots`).
    #[must_use]
    pub fn slots(&self) -> Option<&Item> {
        let dcs = self.bootstrap_dcs()?;
        ["permanent_replication_slots", "permanent_slots", "slots"]
            .into_iter()
            .find_map(|name| dcs.get(name).filter(|slots| !slots.pairs().is_empty()))
    }
}
