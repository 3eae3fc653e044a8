//! Whether there is room for the copy that a member without data gets.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::facts::running::primary_of;
use crate::rules::native::on_host::each;
use crate::rules::report::Report;

/// Tablespaces of every server, which lie in its data directory.
const OWN: [&str; 2] = ["pg_default", "pg_global"];

/// `clone-without-space`
pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some((dir, data)) = on.data()? else { return Ok(()) };
        if on.names(data)?.is_some_and(|names| !names.is_empty()) {
            return Ok(());
        }
        // Without a server to copy from there is no copy.
        let Some((primary, node)) = primary_of(facts, on.member) else { return Ok(()) };
        if primary.file == on.member.file {
            return Ok(());
        }
        if node.rows("tablespaces")?.iter().any(|row| row.get("spcname").is_some_and(|name| !OWN.contains(&name))) {
            return on.gap("what of a copy lies outside of the data directory, in tablespaces,");
        }
        let size = node.row("size")?.and_then(|row| Some((row.number("bytes")?, row.at)));
        let Some((bytes, at)) = size else { return on.gap("the size of the data") };
        let Some(space) = on.host.value().filesystems.get(dir.value) else {
            return on.gap(format!("the space for {}", dir.value));
        };
        let space = on.node.answer(&format!("the space for {}", dir.value), space)?;
        let free = space.free.saturating_mul(1024);
        if u64::try_from(bytes).is_ok_and(|bytes| free < bytes) {
            report.add(
                report
                    .problem(on.host.at(&["filesystems", dir.value]))
                    .arg("member", on.member.name.as_str())
                    .arg("dir", dir.value)
                    .arg("mounted", space.mounted.as_str())
                    .arg("primary", primary.name.as_str())
                    .arg("free", words(free))
                    .arg("size", words(bytes.unsigned_abs()))
                    .label(at, "what is to be copied, without the WAL")
                    .label(dir.span, "to be filled"),
            );
        }
        Ok(())
    });
    Ok(())
}

/// `123 MB`, as PostgreSQL writes sizes.
fn words(bytes: u64) -> String {
    let mut size = bytes;
    for unit in ["B", "kB", "MB", "GB"] {
        if size < 10 * 1024 {
            return format!("{size} {unit}");
        }
        size /= 1024;
    }
    format!("{size} TB")
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_are_short() {
        assert_eq!([0, 30 << 20, 500 << 30, 70 << 40].map(super::words), ["0 B", "30 MB", "500 GB", "70 TB"]);
    }
}
