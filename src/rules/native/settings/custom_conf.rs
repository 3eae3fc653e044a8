//! The file that Patroni includes instead of the postgresql.conf that was there, as it is on the host.

use crate::bundle::host::Kind;
use crate::facts::gap::{Fact, Gap};
use crate::facts::patroni_file::is_placeholder;
use crate::facts::{Facts, PatroniFile, host_path};
use crate::parse::patroni::Item;
use crate::rules::native::on_host::{OnHost, each_with};
use crate::rules::report::Report;

/// `custom-conf-missing`
pub(in crate::rules::native) fn missing(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let concerns = |file: &PatroniFile| !matches!(file.known_postgresql("custom_conf"), Ok(None));
    each_with(facts, report, concerns, |on, report| {
        let known = on.file.known_postgresql("custom_conf").map_err(|gap| gap.on(&on.node.name))?;
        let named = known.and_then(|item| Some((item, item.as_str().filter(|text| !text.is_empty())?)));
        let Some((item, text)) = named else { return Ok(()) };
        let Some(path) = place(on, text)? else { return Ok(()) };
        if let Some(fault) = fault(on, &path)? {
            let problem = report.problem(item.span).arg("member", on.member.name.as_str()).arg("file", path.as_str());
            report.add(problem.arg("fault", fault).label(on.host.at(&["paths", &path]), "what is there"));
        }
        Ok(())
    });
    Ok(())
}

/// Where the file lies: a relative path is one below the directory of postgresql.conf. `None` for what another rule speaks of, and
/// for what a member still gets with its data.
fn place(on: &OnHost<'_>, text: &str) -> Fact<Option<String>> {
    if is_placeholder(text) {
        return on.gap("`postgresql.custom_conf`");
    }
    let data = on.data()?;
    let home = match on.path("postgresql.config_dir")?.or_else(|| data.as_ref().map(|(dir, _)| dir.clone())) {
        Some(dir) => host_path::normal(dir.value),
        None if text.starts_with('/') => String::new(),
        None => return Ok(None),
    };
    let path = host_path::normal(&if text.starts_with('/') { text.to_owned() } else { format!("{home}/{text}") });
    let base = on.file.known("postgresql.config_base_name").map_err(|gap| gap.on(&on.node.name))?;
    let is_own = path == format!("{home}/{}.conf", base.and_then(Item::as_str).unwrap_or("postgresql"));
    if let Some((dir, data)) = data
        && host_path::is_below(&path, dir.value)
        && on.node.answer("the version of the data", &data.version)?.is_none()
    {
        return Ok(None);
    }
    Ok((!is_own).then_some(path))
}

fn fault(on: &OnHost<'_>, path: &str) -> Fact<Option<String>> {
    match on.entry(path)? {
        None => return Ok(Some("does not exist".to_owned())),
        Some(entry) if entry.kind == Kind::DeadLink => return Ok(Some("is a link to nothing".to_owned())),
        Some(entry) if entry.kind != Kind::File => return Ok(Some("is no file".to_owned())),
        Some(_) => {}
    }
    let (user, access) = on.access(path)?;
    Ok((!access.read).then(|| format!("may not be read by user {user}")))
}
