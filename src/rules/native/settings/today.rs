//! The postgresql.conf that a member's server runs with before Patroni comes.

use crate::facts::gap::{Fact, Gap, GapReason};
use crate::facts::patroni_file::is_placeholder;
use crate::facts::{ConfFile, Facts, Member, PatroniFile, host_path};
use crate::parse::conf::Located;
use crate::rules::report::Report;
use crate::source::Spanned;

/// Each member with its postgresql.conf, unless Patroni wrote that. Members without one are no gap here: what the rules in front
/// of this ask of the file, they ask of a conversion that starts with it.
pub(super) fn confs(facts: &Facts) -> impl Iterator<Item = (&Member, &PatroniFile, &ConfFile)> {
    facts.members().filter_map(|member| {
        let conf = &facts.confs[*member.conf.as_ref().ok()?];
        (!conf.is_written_by_patroni()).then_some((member, &facts.patroni[member.file], conf))
    })
}

/// A path in the file that is absolute and known.
pub(super) fn path<'a>(conf: &'a ConfFile, name: &str) -> Option<&'a Located> {
    conf.conf.effective(name).filter(|l| is_known(&l.set.value.value))
}

/// Whether a text is an absolute path that no template has still to fill in.
pub(super) fn is_known(path: &str) -> bool {
    path.starts_with('/') && !is_placeholder(path)
}

/// A path of Patroni's configuration that is absolute and known.
pub(super) fn known(path: Option<Spanned<&str>>) -> Option<Spanned<String>> {
    path.filter(|p| is_known(p.value)).map(|p| Spanned::new(host_path::normal(p.value), p.span))
}

/// The directory that postgresql.conf lies in on the host, when that is not where Patroni looks for it although it was told no other.
///
/// The repository may keep the directories of the host; else the file says so itself: it names a data directory and, beside
/// itself, a `pg_hba.conf`, as packages for Debian do.
///
/// # Errors
/// When a template decides.
pub(super) fn outside_data_dir(file: &PatroniFile, conf: &ConfFile) -> Fact<Option<String>> {
    if file.known("postgresql.config_dir")?.is_some_and(|i| i.as_str() != Some("")) {
        return Ok(None);
    }
    file.known("postgresql.data_dir")?;
    let kept = conf.place();
    if let Some(name) = ["data_directory", "hba_file"].into_iter().find(|n| {
        kept.is_none() && (conf.conf.is_unknown(n) || (conf.conf.effective(n).is_none() && conf.conf.is_open()))
    }) {
        return Err(Gap::new(format!("`{name}` in {}", conf.source.name()), GapReason::Unreadable));
    }
    let named = || path(conf, "data_directory").and(path(conf, "hba_file")).map(|l| l.set.value.value.clone());
    let (Some(data_dir), Some(place)) = (known(file.config.data_dir()), kept.or_else(named)) else { return Ok(None) };
    let dir = host_path::normal(host_path::parent(&place));
    Ok((dir != data_dir.value).then_some(dir))
}

/// Notes includes that lead out of the files given: what they set is not known.
pub(super) fn note_outside(member: &Member, conf: &ConfFile, report: &mut Report) {
    for include in conf.conf.outside() {
        let gap = Gap::new(format!("`{}`, included by postgresql.conf", include.value), GapReason::NotGiven);
        report.known::<()>(Err(gap.on(&member.name)));
    }
}
