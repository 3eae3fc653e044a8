//! `synchronous_standby_names` among the parameters while Patroni chooses the synchronous standbys
//! (`ConfigHandler.get_server_parameters`).

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::report::Report;

pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files().iter().filter(|f| f.is_synchronous()) {
        for (name, item) in file.local_parameters().chain(file.dynamic_parameters()) {
            if name.eq_ignore_ascii_case("synchronous_standby_names") && item.is_true() {
                let mode = file.place_of("bootstrap.dcs.synchronous_mode");
                report.add(report.problem(item.key_or_value()).label(mode, "Patroni chooses the standbys"));
            }
        }
    }
    Ok(())
}
