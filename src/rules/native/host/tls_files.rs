//! Keys and certificates that the configuration names, as they are on the host.

use crate::bundle::host::Kind;
use crate::facts::Facts;
use crate::facts::gap::{Fact, Gap};
use crate::rules::native::on_host::{OnHost, each_with};
use crate::rules::report::Report;

/// Sections with such files, and what comes of one that Patroni cannot read.
const SECTIONS: [(&str, &[&str], &str); 4] = [
    ("restapi", &["certfile", "keyfile", "cafile"], "Patroni ends when it starts its REST API"),
    ("ctl", &["certfile", "keyfile", "cacert"], "Patroni and patronictl cannot ask other members"),
    ("etcd3", &["cacert", "cert", "key"], "Patroni does not get at etcd"),
    ("etcd", &["cacert", "cert", "key"], "Patroni does not get at etcd"),
];

/// `tls-files-unusable`
pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let paths = || {
        SECTIONS
            .iter()
            .flat_map(|(section, keys, effect)| keys.iter().map(move |key| (format!("{section}.{key}"), *effect)))
    };
    each_with(
        facts,
        report,
        |file| paths().any(|(path, _)| file.config.get(&path).is_some()),
        |on, report| {
            for (key, effect) in paths() {
                let Some(path) = on.path(&key)? else { continue };
                if let Some(fault) = fault(on, path.value)? {
                    report.add(
                        report
                            .problem(path.span)
                            .arg("member", on.member.name.as_str())
                            .arg("key", key)
                            .arg("file", path.value)
                            .arg("fault", fault)
                            .arg("effect", effect),
                    );
                }
            }
            Ok(())
        },
    );
    Ok(())
}

fn fault(on: &OnHost<'_>, path: &str) -> Fact<Option<String>> {
    match on.entry(path)? {
        None => return Ok(Some("does not exist".to_owned())),
        Some(entry) if entry.kind == Kind::Directory => return Ok(Some("is a directory".to_owned())),
        Some(_) => {}
    }
    let (user, access) = on.access(path)?;
    Ok((!access.read).then(|| format!("cannot be read by user {user}")))
}
