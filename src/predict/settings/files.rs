//! What the files of a server say: today, and with the file that Patroni writes between the old one and `postgresql.auto.conf`.

use std::collections::BTreeMap;

use super::By;
use crate::facts::clamp::is_recovery;
use crate::facts::gap::{Fact, Gap, GapReason};
use crate::parse::conf::{Conf, Located};
use crate::source::Span;

/// A line that sets something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// What it sets it to.
    pub(super) value: String,
    /// Whether the value holds a secret, or what stands for one.
    pub(super) is_secret: bool,
    /// Who wrote it.
    pub(super) by: By,
    /// Where, as far as it is written already.
    pub(super) at: Option<Span>,
}

/// The line that counts; `None` when there is none.
pub(super) type Assigned<'a> = Option<&'a Line>;

/// What files set together, the last line of each setting: by its name in small letters.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    lines: BTreeMap<String, Line>,
    /// What is not known of a single setting, and why.
    hidden: BTreeMap<String, Gap>,
    /// Why it is not known what else may be set.
    open: Option<Gap>,
}

impl Files {
    /// Nothing is known of them.
    pub(super) fn unknown(gap: Gap) -> Self {
        Self { open: Some(gap), ..Self::default() }
    }

    /// What counts for a setting.
    ///
    /// # Errors
    /// When something that was not read may decide.
    pub(super) fn get(&self, name: &str) -> Fact<Assigned<'_>> {
        let name = name.to_ascii_lowercase();
        if let Some(gap) = self.hidden.get(&name) {
            return Err(gap.clone());
        }
        match (self.lines.get(&name), &self.open) {
            (Some(line), _) => Ok(Some(line)),
            (None, Some(gap)) => Err(gap.clone()),
            (None, None) => Ok(None),
        }
    }

    fn set(&mut self, name: &str, line: Line) {
        let name = name.to_ascii_lowercase();
        self.hidden.remove(&name);
        self.lines.insert(name, line);
    }

    /// With the lines of other files behind these.
    pub(super) fn then(mut self, later: &Self) -> Self {
        for (name, line) in &later.lines {
            self.set(name, line.clone());
        }
        for (name, gap) in &later.hidden {
            self.lines.remove(name);
            self.hidden.insert(name.clone(), gap.clone());
        }
        if let Some(gap) = &later.open {
            // What it may set is known for nothing that stands before it.
            self.lines.retain(|name, _| later.lines.contains_key(name));
            self.open = Some(gap.clone());
        }
        self
    }

    /// What a file says with all that it includes.
    pub(super) fn of_conf(conf: &Conf, member: &str, by: By) -> Self {
        let Today { mut old, .. } = Today::of(conf, member, false, |_| false);
        old.lines.values_mut().for_each(|line| line.by = by);
        old
    }

    /// Lines that Patroni writes.
    pub(super) fn of_patroni(lines: impl IntoIterator<Item = (String, Fact<Line>)>) -> Self {
        let mut files = Self::default();
        for (name, line) in lines {
            match line {
                Ok(line) => files.set(&name, line),
                Err(gap) => drop(files.hidden.insert(name.to_ascii_lowercase(), gap)),
            }
        }
        files
    }
}

/// The configuration of today in its parts.
#[derive(Debug, Clone, Default)]
pub(super) struct Today {
    /// `postgresql.conf` with all that it includes. Where Patroni wrote it: the old file that it includes.
    pub(super) old: Files,
    /// Where Patroni wrote it: its own lines.
    pub(super) written: Files,
    /// `postgresql.auto.conf`
    pub(super) auto: Files,
}

impl Today {
    /// From what was read, of a member; `main` tells whether a line stands in the main file itself.
    pub(super) fn of(conf: &Conf, member: &str, by_patroni: bool, main: impl Fn(&Located) -> bool) -> Self {
        let mut today = Self::default();
        for located in conf.assignments() {
            let (files, by) = match (located.auto, by_patroni && main(located)) {
                (true, _) => (&mut today.auto, By::AutoConf),
                (false, true) => (&mut today.written, By::Patroni),
                (false, false) => (&mut today.old, By::OldFiles),
            };
            let value = &located.set.value;
            let is_secret = !located.set.secret_spans().is_empty();
            let name = &located.set.name.value;
            files.set(name, Line { value: value.value.clone(), is_secret, by, at: Some(value.span) });
            if conf.is_unknown(name) {
                let what = format!("`{name}` in postgresql.conf");
                files.hidden.insert(name.to_ascii_lowercase(), Gap::new(what, GapReason::Unreadable).on(member));
            }
        }
        for name in conf.hidden_names() {
            let gap = Gap::new(format!("what the files say of `{}`", name.value), GapReason::NotGiven).on(member);
            today.old.hidden.entry(name.value.to_ascii_lowercase()).or_insert(gap);
        }
        if let Some(include) = conf.outside().first() {
            let what = format!("`{}`, included by postgresql.conf", include.value);
            today.old.open = Some(Gap::new(what, GapReason::NotGiven).on(member));
        } else if conf.is_open() {
            let what = "`postgresql.conf` (a template decides what it sets)";
            today.old.open = Some(Gap::new(what, GapReason::Unreadable).on(member));
        }
        today
    }

    /// As the server reads them.
    pub(super) fn all(&self) -> Files {
        self.old.clone().then(&self.written).then(&self.auto)
    }

    /// `postgresql.auto.conf` without settings of recovery, once Patroni has written its file (`ConfigHandler._sanitize_auto_conf`).
    pub(super) fn sanitized(&self) -> Files {
        let mut auto = self.auto.clone();
        auto.lines.retain(|name, _| !is_recovery(name));
        auto
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(lines: &[(&str, &str)]) -> Files {
        let line = |value: &str| Line { value: value.to_owned(), is_secret: false, by: By::OldFiles, at: None };
        Files::of_patroni(lines.iter().map(|(name, value)| ((*name).to_owned(), Ok(line(value)))))
    }

    #[test]
    fn the_last_line_counts_whatever_its_capitals() {
        let both = files(&[("work_mem", "1MB"), ("DateStyle", "iso")]).then(&files(&[("WORK_MEM", "2MB")]));
        assert_eq!(both.get("work_mem").unwrap().map(|l| l.value.as_str()), Some("2MB"));
        assert_eq!(both.get("datestyle").unwrap().map(|l| l.value.as_str()), Some("iso"));
        assert_eq!(both.get("port"), Ok(None));
    }

    #[test]
    fn a_file_that_was_not_read_hides_what_stands_before_it_and_not_what_stands_behind() {
        let gap = || Gap::new("a file", GapReason::NotGiven);
        let open = files(&[("work_mem", "1MB")]).then(&Files::unknown(gap()));
        assert_eq!((open.get("work_mem"), open.get("port")), (Err(gap()), Err(gap())));
        let known = open.then(&files(&[("port", "5433")]));
        assert_eq!(known.get("port").unwrap().map(|l| l.value.as_str()), Some("5433"));
    }
}
