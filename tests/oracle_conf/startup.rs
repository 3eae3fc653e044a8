//! What a starting server says and takes (`postgres -C`): all syntax errors of a file, and the values that win.

use std::collections::BTreeSet;

use patroni_preflight::knowledge::guc;
use patroni_preflight::parse::conf::load;
use patroni_preflight::parse::guc_value::parse_value;

use super::generate::{Chance, file};
use super::{Disk, say, seed, size};
use crate::support::pg::{data_dir, pg_command, temp_dir, write};

const NAMES: &[&str] =
    &["work_mem", "max_wal_size", "wal_level", "checkpoint_timeout", "fsync", "seq_page_cost", "archive_mode"];

fn run(version: u16, n: usize) {
    let seed = seed("startup");
    let home = temp_dir("conf");
    let data = data_dir(version, &home);
    let main = data.join("postgresql.conf");
    let mut c = Chance::new(seed + u64::from(version));
    let (mut errors, mut values) = (0, 0);
    for case in 0..n {
        let name = c.pick(NAMES);
        let mut bytes = Vec::new();
        if c.one_in(2) {
            let one = [
                "work_mem = 5MB\n",
                "WORK_MEM '0x100kB'\n",
                "max_wal_size 2GB\n",
                "wal_level=archive\n",
                "fsync 'f'\n",
            ];
            for _ in 0..c.below(6) {
                bytes.extend(c.pick(&one).bytes());
            }
        } else {
            (0..=c.below(40)).for_each(|_| bytes.extend(file(&mut c, version, &[])));
        }
        write(&main, &bytes);
        let ours = load(&Disk::default(), &main, None);
        let out = pg_command(version, "postgres").arg("-D").arg(&data).args(["-C", name]).output().expect("runs");
        let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
        let said: BTreeSet<String> = stderr
            .lines()
            .filter_map(|l| l.split_once("LOG:  syntax error").map(|(_, t)| format!("syntax error{t}")))
            .collect();
        let message =
            |p: &patroni_preflight::problem::Problem| p.args.iter().find(|a| a.0 == "message").map(|a| a.1.clone());
        let is_syntax = |p: &&patroni_preflight::problem::Problem| p.rule == "conf-syntax-error";
        // A token may hold control characters and line ends of its own in the log: compare what fits one line.
        let plain =
            |s: &BTreeSet<String>| -> BTreeSet<String> { s.iter().filter(|m| !m.contains("***")).cloned().collect() };
        let expect: BTreeSet<String> = ours.problems.iter().filter(is_syntax).filter_map(message).collect();
        let hidden = expect.len() - plain(&expect).len();
        let text = bytes.escape_ascii();
        let missing: Vec<_> = plain(&expect).difference(&said).cloned().collect();
        assert!(missing.is_empty(), "{version}, seed {seed}, case {case}: not said {missing:?}\n{stderr}\n{text}");
        assert_eq!(
            expect.len(),
            said.len(),
            "{version}, seed {seed}, case {case}, {hidden} hidden\n{expect:?}\n{stderr}\n{text}"
        );
        errors += said.len();
        if out.status.success()
            && let Some(l) = ours.tree.effective(name)
        {
            let known = guc::find(name, version).expect("known");
            let shown = String::from_utf8_lossy(&out.stdout).trim().to_owned();
            if let Ok(v) = parse_value(known, &l.set.value.value, version) {
                assert_eq!(
                    parse_value(known, &shown, version),
                    Ok(v),
                    "{version}, seed {seed}, case {case}: {name}\n{text}"
                );
                values += 1;
            }
        }
    }
    let _ = std::fs::remove_dir_all(&home);
    say(&format!("PostgreSQL {version}: {n} starts, {errors} syntax errors and {values} values alike"));
    assert!(errors > n / 4 && values > n / 20);
}

#[test]
fn a_starting_server_says_the_same_errors_and_takes_the_same_values() {
    for version in [18, 15] {
        run(version, (size(800) / 20).max(40));
    }
}
