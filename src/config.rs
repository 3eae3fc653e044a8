//! `preflight.toml`: versions, clusters and severities by path, what is accepted, and from where on a run fails.
//!
//! Its paths are relative to the file itself. `src/config.schema.json` describes it to editors.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use crate::facts::layout::{NamedCluster, NamedMember, Target};
use crate::knowledge::guc::MAJORS;
use crate::knowledge::patroni::Version;
use crate::pattern::{Patterns, Root};
use crate::rules::load::{RuleText, meant};
use crate::rules::schema::{Rule, Severity};
use crate::rules::selection::{Ignore, Scoped, Selection, Severities};
use crate::rules::suggest;
use crate::source::path::normal;

/// The name that is looked for in the current directory and above it.
pub const FILE_NAME: &str = "preflight.toml";

/// The JSON Schema of the file.
pub const SCHEMA: &str = include_str!("config.schema.json");

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Raw {
    fail_on: Option<Severity>,
    exclude: Vec<Spanned<String>>,
    rules: Vec<Spanned<String>>,
    severity: RawSeverities,
    target: Vec<RawTarget>,
    ignore: Vec<RawIgnore>,
    cluster: Vec<RawCluster>,
}

type RawSeverities = BTreeMap<Spanned<String>, Choice>;

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Choice {
    Off,
    Note,
    Warning,
    Error,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawTarget {
    paths: Vec<Spanned<String>>,
    postgresql: Option<Spanned<u16>>,
    patroni: Option<Spanned<String>>,
    #[serde(default)]
    severity: RawSeverities,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawIgnore {
    rules: Vec<Spanned<String>>,
    paths: Vec<Spanned<String>>,
    reason: Spanned<String>,
    until: Option<Spanned<Datetime>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RawCluster {
    name: String,
    members: Vec<Spanned<RawMember>>,
    postgresql: Option<Spanned<u16>>,
    patroni: Option<Spanned<String>>,
}

/// A pattern of Patroni files, or one with what belongs to it.
#[derive(Debug)]
enum RawMember {
    Files(String),
    One(Box<OneMember>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OneMember {
    file: Spanned<String>,
    name: Option<String>,
    // `postgresql.conf = …` is a table to TOML, `"postgresql.conf" = …` is not.
    postgresql: Option<Dotted>,
    pg_hba: Option<Dotted>,
    #[serde(rename = "postgresql.conf")]
    postgresql_conf: Option<Spanned<String>>,
    #[serde(rename = "pg_hba.conf")]
    pg_hba_conf: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dotted {
    conf: Spanned<String>,
}

impl<'de> Deserialize<'de> for RawMember {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> serde::de::Visitor<'de> for Either {
            type Value = RawMember;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a pattern of files, or a table with `file`")
            }

            fn visit_str<E>(self, text: &str) -> Result<RawMember, E> {
                Ok(RawMember::Files(text.to_owned()))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<RawMember, A::Error> {
                let one = OneMember::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(RawMember::One(Box::new(one)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A configuration that was understood.
#[derive(Debug, Default, Clone)]
pub struct Config {
    /// Least severity that makes the exit code 1, unless the command line says otherwise.
    pub fail_on: Option<Severity>,
    /// Which rules run, how bad each is, and what is accepted.
    pub selection: Selection,
    /// What it says about files.
    pub scope: Scope,
}

/// What a configuration says about files.
#[derive(Debug, Default, Clone)]
pub struct Scope {
    /// What is passed over.
    pub exclude: Patterns,
    /// Versions for some paths.
    pub targets: Vec<Target>,
    /// Clusters by name.
    pub clusters: Vec<NamedCluster>,
    /// Where its paths start.
    pub root: Root,
    /// The file itself, for findings about it: its path in the run and its text.
    pub file: Option<(PathBuf, String)>,
}

/// A configuration that was read, and whose rules are not known yet.
#[derive(Debug)]
pub struct Draft {
    raw: Raw,
    file: PathBuf,
    text: String,
}

/// Reads a configuration.
///
/// # Errors
/// A message with file, line and column, for a text that is no such configuration.
pub fn read(file: &Path, text: &str) -> Result<Draft, String> {
    let raw = toml::from_str(text).map_err(|e| {
        let at = e.span().map_or(0, |s| s.start);
        format!("{}: {}{}", position(file, text, at), e.message().trim_end(), meant(e.message()))
    })?;
    Ok(Draft { raw, file: file.to_path_buf(), text: text.to_owned() })
}

impl Draft {
    /// Its path in the run.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Directories of an organisation's rules, as paths of the run.
    pub fn rule_dirs(&self) -> impl Iterator<Item = PathBuf> {
        let home = self.file.parent().unwrap_or(Path::new(""));
        self.raw.rules.iter().map(move |dir| home.join(dir.get_ref()))
    }

    /// Joins it with the rules. `exists` tells whether there is a file at a path relative to the configuration.
    ///
    /// # Errors
    /// A message with file, line and column, for a rule, version, pattern or file that does not exist.
    pub fn finish(self, rules: &[Rule], root: &Root, exists: &dyn Fn(&Path) -> bool) -> Result<Config, String> {
        let Self { raw, file, text } = self;
        let known = Known { file: &file, text: &text, rules, root, exists };
        let mut selection = Selection { severities: known.severities(&raw.severity)?, ..Selection::default() };
        let mut targets = Vec::new();
        for target in &raw.target {
            let paths = known.patterns(&target.paths)?;
            selection.scoped.push(Scoped { paths: paths.clone(), severities: known.severities(&target.severity)? });
            let (postgresql, patroni) = known.versions(target.postgresql.as_ref(), target.patroni.as_ref())?;
            targets.push(Target { paths, postgresql, patroni });
        }
        selection.scoped.retain(|s| !s.severities.is_empty());
        selection.ignores = raw.ignore.iter().map(|i| known.ignore(i)).collect::<Result<_, _>>()?;
        selection.config = Some(file.clone());
        let clusters = raw.cluster.iter().map(|c| known.cluster(c)).collect::<Result<_, _>>()?;
        let exclude = if raw.exclude.is_empty() { Patterns::default() } else { known.patterns(&raw.exclude)? };
        Ok(Config {
            fail_on: raw.fail_on,
            selection,
            scope: Scope { exclude, targets, clusters, root: root.clone(), file: Some((file, text)) },
        })
    }
}

/// A release of Patroni that the tables speak of.
///
/// # Errors
/// Which ones there are.
pub fn release(text: &str) -> Result<Version, String> {
    let known = Version::new(3, 0, 0)..=Version::LATEST;
    let wrong = || format!("takes a release from {} to {}", known.start(), known.end());
    text.parse().ok().filter(|v| known.contains(v)).ok_or_else(wrong)
}

/// What a configuration is held against.
struct Known<'a> {
    file: &'a Path,
    text: &'a str,
    rules: &'a [Rule],
    root: &'a Root,
    exists: &'a dyn Fn(&Path) -> bool,
}

impl Known<'_> {
    fn wrong(&self, byte: usize, what: impl std::fmt::Display) -> String {
        format!("{}: {what}", position(self.file, self.text, byte))
    }

    fn rule(&self, id: &Spanned<String>) -> Result<(), String> {
        if self.rules.binary_search_by(|r| (*r.id).cmp(id.get_ref())).is_ok() {
            return Ok(());
        }
        let near = suggest(self.rules.iter().map(|r| &*r.id), id.get_ref());
        let near = near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default();
        Err(self.wrong(id.span().start, format!("there is no rule `{}`{near}", id.get_ref())))
    }

    fn severities(&self, raw: &RawSeverities) -> Result<Severities, String> {
        let mut severities = Severities::new();
        for (id, choice) in raw {
            self.rule(id)?;
            let severity = match choice {
                Choice::Off => None,
                Choice::Note => Some(Severity::Note),
                Choice::Warning => Some(Severity::Warning),
                Choice::Error => Some(Severity::Error),
            };
            severities.insert(id.get_ref().clone(), severity);
        }
        Ok(severities)
    }

    fn patterns(&self, texts: &[Spanned<String>]) -> Result<Patterns, String> {
        Patterns::new(self.root, texts.iter().map(|t| t.get_ref().as_str())).map_err(|(i, what)| {
            let at = texts.get(i).map_or(0, |t| t.span().start);
            self.wrong(at, what)
        })
    }

    fn versions(
        &self,
        postgresql: Option<&Spanned<u16>>,
        patroni: Option<&Spanned<String>>,
    ) -> Result<(Option<u16>, Option<Version>), String> {
        if let Some(major) = postgresql.filter(|m| !MAJORS.contains(m.get_ref())) {
            let what = format!("postgresql takes a major version from {} to {}", MAJORS.start(), MAJORS.end());
            return Err(self.wrong(major.span().start, what));
        }
        let patroni = patroni.map(|text| {
            release(text.get_ref()).map_err(|what| self.wrong(text.span().start, format!("patroni {what}")))
        });
        Ok((postgresql.map(|m| *m.get_ref()), patroni.transpose()?))
    }

    fn ignore(&self, raw: &RawIgnore) -> Result<Ignore, String> {
        raw.rules.iter().try_for_each(|id| self.rule(id))?;
        if raw.reason.get_ref().trim().is_empty() {
            return Err(self.wrong(raw.reason.span().start, "whoever reads it next must know the reason"));
        }
        let until = raw.until.as_ref().map(|until| {
            let text = until.get_ref().to_string();
            let day = text.parse().map_err(|what| self.wrong(until.span().start, what))?;
            Ok::<_, String>((day, until.span()))
        });
        Ok(Ignore {
            rules: raw.rules.iter().map(|id| (id.get_ref().clone(), id.span())).collect(),
            paths: self.patterns(&raw.paths)?,
            until: until.transpose()?,
        })
    }

    fn cluster(&self, raw: &RawCluster) -> Result<NamedCluster, String> {
        let (postgresql, patroni) = self.versions(raw.postgresql.as_ref(), raw.patroni.as_ref())?;
        let members = raw.members.iter().map(|m| self.member(m)).collect::<Result<_, _>>()?;
        Ok(NamedCluster { name: raw.name.clone(), members, postgresql, patroni })
    }

    fn member(&self, raw: &Spanned<RawMember>) -> Result<NamedMember, String> {
        let patterns =
            |text: &str, at: usize| Patterns::new(self.root, [text]).map_err(|(_, what)| self.wrong(at, what));
        let one = match raw.get_ref() {
            RawMember::Files(text) => {
                return Ok(NamedMember { file: patterns(text, raw.span().start)?, ..NamedMember::default() });
            }
            RawMember::One(one) => one,
        };
        let conf = one.postgresql.as_ref().map(|d| &d.conf).or(one.postgresql_conf.as_ref());
        let hba = one.pg_hba.as_ref().map(|d| &d.conf).or(one.pg_hba_conf.as_ref());
        for file in [Some(&one.file), conf, hba].into_iter().flatten() {
            if !(self.exists)(Path::new(file.get_ref())) {
                return Err(self.wrong(file.span().start, format!("there is no file `{}`", file.get_ref())));
            }
        }
        let path = |text: Option<&Spanned<String>>| text.map(|t| normal(Path::new(t.get_ref())));
        let file = patterns(&globset::escape(one.file.get_ref()), one.file.span().start)?;
        Ok(NamedMember { file, name: one.name.clone(), conf: path(conf), hba: path(hba) })
    }
}

fn position(file: &Path, text: &str, byte: usize) -> String {
    let before = text.get(..byte).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{}:{line}:{column}", file.display())
}

/// Rule files as [`crate::rules::load::load`] wants them.
#[must_use]
pub fn rule_texts(files: Vec<(PathBuf, String)>) -> Vec<RuleText> {
    let stem = |path: &Path| path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let text = |(path, text): (PathBuf, String)| RuleText { name: path.display().to_string(), stem: stem(&path), text };
    files.into_iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::builtin::BUILTIN;

    fn parse(text: &str) -> Result<Config, String> {
        let root = Root { base: "/r".into(), dir: "/r".into() };
        read(Path::new("p.toml"), text)?.finish(BUILTIN, &root, &|path| path != Path::new("gone.yml"))
    }

    #[test]
    fn changes_severities_and_switches_off() {
        let text = "fail-on = \"warning\"\n[severity]\nunused-allow = \"off\"\n\"rewind-disabled\" = \"error\"\n";
        let config = parse(text).expect("valid");
        assert_eq!(config.fail_on, Some(Severity::Warning));
        assert_eq!(config.selection.severities["unused-allow"], None);
        assert_eq!(config.selection.severities["rewind-disabled"], Some(Severity::Error));
    }

    #[test]
    fn speaks_of_paths() {
        let config = parse(
            "exclude = [\"old\"]\n\
             [[target]]\npaths = [\"prod/**\"]\npostgresql = 15\npatroni = \"3.3.8\"\nseverity.unused-allow = \"off\"\n\
             [[ignore]]\nrules = [\"rewind-disabled\"]\npaths = [\"lab\"]\nreason = \"lab\"\nuntil = 2026-12-31\n\
             [[cluster]]\nname = \"orders\"\npostgresql = 16\nmembers = [\n\
             { file = \"a.yml\", name = \"pg1\", postgresql.conf = \"a.conf\", \"pg_hba.conf\" = \"./a_hba.conf\" }, \"b/*.yml\"]\n",
        )
        .expect("valid");
        let scoped = &config.selection.scoped[0];
        assert!(scoped.paths.holds(Path::new("prod/x")) && scoped.severities["unused-allow"].is_none());
        assert_eq!(config.scope.targets[0].patroni, Some(Version::new(3, 3, 8)));
        assert!(config.scope.exclude.holds(Path::new("old/patroni.yml")));
        let [one, more] = &config.scope.clusters[0].members[..] else { panic!("two members") };
        assert_eq!(one.conf.as_deref(), Some(Path::new("a.conf")));
        assert_eq!(one.hba.as_deref(), Some(Path::new("a_hba.conf")));
        assert!(one.file.holds(Path::new("a.yml")) && more.file.holds(Path::new("b/c.yml")));
        assert!(config.selection.ignores[0].until.is_some());
    }

    #[test]
    fn says_where_it_is_wrong_and_what_was_meant() {
        let ignore = "[[ignore]]\nrules = [\"rewind-disabled\"]\npaths = [\"x\"]\n";
        for (text, message) in [
            ("[severity]\nno-such = \"off\"\n", "p.toml:2:1: there is no rule `no-such`"),
            (
                "[severity]\nrewind-disable = \"off\"\n",
                "p.toml:2:1: there is no rule `rewind-disable`; did you mean `rewind-disabled`?",
            ),
            (
                "[severity]\nrewind-disabled = \"of\"\n",
                "p.toml:2:19: unknown variant `of`, expected one of `off`, `note`, `warning`, `error`; did you mean `off`?",
            ),
            (
                "excludes = []\n",
                "p.toml:1:1: unknown field `excludes`, expected one of `fail-on`, `exclude`, `rules`, `severity`, `target`, `ignore`, `cluster`; did you mean `exclude`?",
            ),
            (&format!("{ignore}reason = \" \"\n"), "p.toml:4:10: whoever reads it next must know the reason"),
            (ignore, "p.toml:1:1: missing field `reason`"),
            (
                &format!("{ignore}reason = \"x\"\nuntil = 2026-12-31T10:00:00\n"),
                "p.toml:5:9: `2026-12-31T10:00:00` is no day; write it as 2026-12-31",
            ),
            (
                "[[target]]\npaths = [\"a\", \"/b\"]\n",
                "p.toml:2:15: a pattern is relative to the directory of the file it stands in, and does not lead out of it",
            ),
            (
                "[[target]]\npaths = []\npostgresql = 12\n",
                "p.toml:3:14: postgresql takes a major version from 13 to 18",
            ),
            ("[[target]]\npaths = []\npatroni = \"2.1\"\n", "p.toml:3:11: patroni takes a release from 3.0.0 to 4.1.5"),
            (
                "[[cluster]]\nname = \"x\"\nmembers = [{ file = \"gone.yml\" }]\n",
                "p.toml:3:21: there is no file `gone.yml`",
            ),
            (
                "[[cluster]]\nname = \"x\"\nmembers = [{ file = \"a.yml\", nam = \"y\" }]\n",
                "p.toml:3:30: unknown field `nam`, expected one of `file`, `name`, `postgresql`, `pg_hba`, `postgresql.conf`, `pg_hba.conf`; did you mean `name`?",
            ),
            (
                "[[cluster]]\nname = \"x\"\nmembers = [3]\n",
                "p.toml:3:12: invalid type: integer `3`, expected a pattern of files, or a table with `file`",
            ),
            ("fail-on = \n", "p.toml:1:11: string values must be quoted, expected literal string"),
        ] {
            assert_eq!(parse(text).expect_err(text), message);
        }
    }
}
