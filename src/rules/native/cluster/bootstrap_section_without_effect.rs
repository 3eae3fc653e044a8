//! Sections that Patroni reads only when it makes a new cluster (`postgresql/bootstrap.py`), beside a server that exists.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::report::Report;

const SECTIONS: [&str; 3] = ["initdb", "post_bootstrap", "post_init"];

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for cluster in facts.clusters() {
        for section in SECTIONS {
            let first = cluster.members.iter().find_map(|member| {
                let conf = &facts.confs[*member.conf.as_ref().ok()?];
                let item = facts.patroni[member.file].config.get("bootstrap")?.get(section)?;
                Some((member, conf, item)).filter(|_| item.is_true())
            });
            let Some((member, conf, item)) = first else { continue };
            report.add(
                report
                    .problem(item.key_or_value())
                    .arg("section", section)
                    .arg("member", member.name.as_str())
                    .label(conf.at(), "the server of this file exists already"),
            );
        }
    }
    Ok(())
}
