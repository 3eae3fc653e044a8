//! Which directories are made when a host starts.

use super::eye::{Ask, Probe, Reply};
use super::wire;
use crate::bundle::Answer;
use crate::facts::host_path::{is_below, normal};

/// Lines of tmpfiles.d(5) that make a directory, or something else in its place.
const LINE: &str = r#"^[[:space:]]*[dDvqQCL][-+!=~^$]*[[:space:]]+"?/"#;
const FILES: &[&str] = &[
    "/etc/tmpfiles.d/*.conf",
    "/run/tmpfiles.d/*.conf",
    "/usr/local/lib/tmpfiles.d/*.conf",
    "/usr/lib/tmpfiles.d/*.conf",
    "/lib/tmpfiles.d/*.conf",
];
/// A file of the same name there counts before all others, and one that leads to `/dev/null` takes them away.
const FIRST: &str = "/etc/tmpfiles.d";

/// What is asked, unless nobody wants to know.
pub(super) struct Questions(Option<(usize, usize)>);

impl Questions {
    pub(super) fn add(ask: &mut Ask, wanted: &[String]) -> Self {
        Self((!wanted.is_empty()).then(|| (ask.add(Probe::Grep(LINE, FILES)), ask.list(FIRST))))
    }

    /// Those of the directories that are made.
    pub(super) fn made(&self, replies: &[Reply], wanted: &[String]) -> Answer<Vec<String>> {
        let Some((lines, first)) = self.0 else { return Answer::default() };
        let read = || {
            let own = wire::names(&replies[first])?.unwrap_or_default();
            let (lines, unread) = wire::lines(&replies[lines])?;
            let counts = |file: &str| match file.rsplit_once('/') {
                Some((dir, name)) => dir == FIRST || !own.iter().any(|n| n == name),
                None => false,
            };
            let made: Vec<String> =
                lines.iter().filter(|l| counts(&l.file)).filter_map(|l| directory(&l.text)).collect();
            // With one, all above it are made.
            let is_made = |dir: &&String| made.iter().any(|path| is_below(path, &without_var(dir)));
            let found: Vec<String> = wanted.iter().filter(is_made).cloned().collect();
            match unread.into_iter().next() {
                Some(unread) if found.len() < wanted.len() => Err(unread.what),
                _ => Ok(found),
            }
        };
        read().into()
    }
}

/// `/var/run` is `/run` for systemd.
fn without_var(path: &str) -> String {
    let path = normal(path);
    path.strip_prefix("/var/run/").map(|rest| format!("/run/{rest}")).unwrap_or(path)
}

/// The path of a line; none where it depends on the host.
fn directory(line: &str) -> Option<String> {
    let path = line.split_whitespace().nth(1)?.trim_matches(['"', '\'']);
    (!path.contains('%')).then(|| without_var(path))
}

#[cfg(test)]
mod tests {
    use super::super::eye::Said;
    use super::*;

    #[test]
    fn lines_of_tmpfiles_make_directories_and_those_above() {
        let mut ask = Ask::default();
        let wanted = ["/var/run/postgresql", "/run/own", "/run/masked", "/run/other"].map(str::to_owned);
        let questions = Questions::add(&mut ask, &wanted);
        let said = |out: &str| Ok(Said { out: out.into(), ..Said::default() });
        let lines = "\0/usr/lib/tmpfiles.d/a.conf\x002:d /run/postgresql 2775 postgres postgres - -\n\
                     \0/usr/lib/tmpfiles.d/b.conf\x001:d /run/masked 0755\n\
                     \0/etc/tmpfiles.d/c.conf\x001:d /run/own/below 0755\n3:d /run/%m 0755\n";
        let replies = [said(lines), said("b.conf\0c.conf\0")];
        assert_eq!(
            questions.made(&replies, &wanted),
            Answer::Got(vec!["/var/run/postgresql".to_owned(), "/run/own".to_owned()])
        );
        let hidden = Ok(Said { err: "/etc/tmpfiles.d: Permission denied".to_owned(), ..Said::default() });
        assert!(questions.made(&[hidden, said("")], &wanted).got().is_none());
    }
}
