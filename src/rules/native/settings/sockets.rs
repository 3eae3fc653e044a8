//! Where the server puts its unix sockets and Patroni looks for them.

use super::today;
use crate::facts::gap::Gap;
use crate::facts::patroni_file::is_placeholder;
use crate::facts::{Facts, PatroniFile, host_path};
use crate::parse::patroni::Item;
use crate::rules::report::Report;

/// What `sun_path` holds on Linux, with the zero at its end (`UNIXSOCK_PATH_BUFLEN` in `src/include/libpq/pqcomm.h`).
const MAX_PATH: usize = 108;

fn directories(file: &PatroniFile) -> Option<(&Item, Vec<&str>)> {
    let item = file.written_parameter("unix_socket_directories")?;
    let text = item.as_str().filter(|t| !is_placeholder(t))?;
    Some((item, text.split(',').map(|d| d.trim().trim_matches('"')).filter(|d| !d.is_empty()).collect()))
}

/// `use-unix-socket-without-dirs`
pub(in crate::rules::native) fn without_dirs(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let Ok(directories) = file.known_parameter("unix_socket_directories") else { continue };
        let effect = match directories {
            None => "libpq takes the directory that it was built with, which need not be that of the server",
            Some(item) => match item.as_str() {
                Some(text) if !is_placeholder(text) && !text.split(',').any(|d| d.trim().starts_with('/')) => {
                    "none of the directories is absolute, so Patroni connects over TCP all the same"
                }
                _ => continue,
            },
        };
        let on: Vec<&str> =
            ["use_unix_socket", "use_unix_socket_repl"].into_iter().filter(|key| file.is_on(key)).collect();
        let Some(item) = on.first().and_then(|key| file.postgresql(key)) else { continue };
        report.add(report.problem(item.key_or_value()).arg("keys", on.join("` and `")).arg("effect", effect));
    }
    Ok(())
}

/// `socket-dir-in-data-dir`
pub(in crate::rules::native) fn in_data_dir(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files().iter().filter(|f| f.is_on("use_pg_rewind")) {
        let (Some((item, dirs)), Some(data_dir)) = (directories(file), today::known(file.config.data_dir())) else {
            continue;
        };
        // A relative one starts at the data directory; one with an `@` in front is no file.
        let inside = |d: &&&str| {
            let relative = !d.starts_with('@') && !d.starts_with("..");
            if d.starts_with('/') { host_path::is_below(d, &data_dir.value) } else { relative }
        };
        if let Some(dir) = dirs.iter().find(inside) {
            report.add(report.problem(item.span).arg("dir", *dir).label(data_dir.span, "the data directory"));
        }
    }
    Ok(())
}

/// `unix-socket-dir-unusable`
pub(in crate::rules::native) fn unusable(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for file in facts.files() {
        let Some((item, dirs)) = directories(file) else { continue };
        let port = file.config.listen().map_or(5432, |l| l.value.1);
        for dir in dirs {
            let path = format!("{}/.s.PGSQL.{port}", dir.trim_end_matches('/'));
            if path.len() >= MAX_PATH {
                report.add(
                    report
                        .problem(item.span)
                        .arg("path", path.as_str())
                        .arg("length", path.len().to_string())
                        .arg("max", (MAX_PATH - 1).to_string()),
                );
            }
        }
    }
    Ok(())
}
