//! An `archive_command` that writes over what is in the archive.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::report::Report;

/// `archive-mode-and-reinit`
pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    let of_confs = facts.confs().iter().filter_map(|c| c.conf.effective("archive_command"));
    let of_confs = of_confs.map(|l| (l.set.value.span, l.set.value.value.clone()));
    let of_patroni = facts.files().iter().flat_map(|f| {
        let places = [f.local_parameter("archive_command"), f.dynamic_parameter("archive_command")];
        places.into_iter().flatten().filter_map(|i| Some((i.span, i.as_str()?.to_owned())))
    });
    for (at, command) in of_confs.chain(of_patroni) {
        if let Some(program) = overwrites(&command) {
            report.add(report.problem(at).arg("program", program));
        }
    }
    Ok(())
}

/// The program that puts a segment into the archive without asking whether it is there: one plain `cp`, `scp`, `mv` or `rsync`.
fn overwrites(command: &str) -> Option<&'static str> {
    const CAREFUL: [&str; 7] = ["test ", "[", "if ", "&&", "||", ";", "|"];
    if CAREFUL.iter().any(|mark| command.contains(mark)) {
        return None;
    }
    let words: Vec<&str> = command.split_whitespace().collect();
    let program = words.first()?.rsplit('/').next()?;
    let program = ["cp", "mv", "rsync", "scp"].into_iter().find(|p| *p == program)?;
    let keeps = words[1..].iter().any(|w| {
        // The archiver has no terminal to say yes to `-i`.
        let short = w.starts_with('-') && !w.starts_with("--") && w.contains(['n', 'i']);
        (short && ["cp", "mv"].contains(&program))
            || ["--no-clobber", "--ignore-existing", "--update=none", "--update=none-fail"].contains(w)
    });
    let target = words.last()?;
    (!keeps && command.contains("%p") && target.contains("%f")).then_some(program)
}

#[cfg(test)]
mod tests {
    use super::overwrites;

    #[test]
    fn only_a_plain_copy_onto_the_name_overwrites() {
        for bad in ["cp %p /archive/%f", "/usr/bin/rsync -a %p host:/wal/%f", "cp \"%p\" '/archive/%f'"] {
            assert!(overwrites(bad).is_some(), "{bad}");
        }
        for good in [
            "test ! -f /archive/%f && cp %p /archive/%f",
            "cp -n %p /archive/%f",
            "cp -i %p /archive/%f",
            "rsync -a --ignore-existing %p host:/wal/%f",
            "pgbackrest --stanza=main archive-push %p",
            "/bin/true",
            "",
        ] {
            assert_eq!(overwrites(good), None, "{good}");
        }
    }
}
