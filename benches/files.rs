//! Files as a configuration repository of many clusters has them; the same ones on every run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// How many files there are altogether.
pub(crate) const COUNT: usize = 10_000;
const NODES: usize = 4;
const CLUSTERS: usize = COUNT / (NODES + 1);

/// Writes the files below a directory unless they are there, and returns the patroni.yml ones.
pub(crate) fn generate(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let stamp = dir.with_extension("complete");
    let wanted = format!("{COUNT} files of {} and {} bytes", patroni(0, 0).len(), patroni(1, 0).len());
    let fresh = std::fs::read_to_string(&stamp).is_ok_and(|s| s == wanted);
    if !fresh && dir.exists() {
        std::fs::remove_dir_all(dir)?;
    }
    let mut yml = Vec::with_capacity(CLUSTERS * NODES);
    for c in 0..CLUSTERS {
        let cluster = dir.join(format!("cluster-{c:04}"));
        for n in 0..NODES {
            let node = cluster.join(format!("pg{n}"));
            let file = node.join("patroni.yml");
            if !fresh {
                std::fs::create_dir_all(&node)?;
                std::fs::write(&file, patroni(c, n))?;
            }
            yml.push(file);
        }
        if !fresh {
            let (name, text) = if c % 2 == 0 { ("pg_hba.conf", hba(c)) } else { ("postgresql.conf", conf(c)) };
            std::fs::write(cluster.join(name), text)?;
        }
    }
    std::fs::write(stamp, wanted)?;
    Ok(yml)
}

fn address(c: usize, n: usize) -> String {
    format!("10.{}.{}.{}", c / 250, c % 250, 10 + n)
}

fn connections(c: usize) -> usize {
    100 + 10 * (c % 40)
}

fn patroni(c: usize, n: usize) -> String {
    // Where there is a pg_hba.conf, Patroni leaves it alone.
    let mut hba = String::new();
    if !c.is_multiple_of(2) {
        hba.push_str("  pg_hba:\n");
        for line in own_lines(c) {
            let _ = writeln!(hba, "    - {line}");
        }
    }
    let values = [
        ("hba", hba),
        ("address", address(c, n)),
        ("cluster", c.to_string()),
        ("member", n.to_string()),
        ("lag", (1_048_576 * (1 + c % 7)).to_string()),
        ("sync", c.is_multiple_of(3).to_string()),
        ("connections", connections(c).to_string()),
        ("buffers", (256 * (1 + c % 32)).to_string()),
        ("cache", (768 * (1 + c % 32)).to_string()),
        ("work", (4 + c % 60).to_string()),
        ("wal", (2 + c % 30).to_string()),
        ("last", (n + 1 == NODES).to_string()),
    ];
    values.iter().fold(include_str!("patroni.yml.in").to_owned(), |text, (name, value)| {
        text.replace(&format!("@{name}@"), value)
    })
}

/// The lines that Patroni and its members need.
fn own_lines(c: usize) -> Vec<String> {
    let mut lines = vec!["local all all peer".to_owned()];
    for role in ["all all", "replication replicator"] {
        lines.push(format!("host {role} 127.0.0.1/32 scram-sha-256"));
    }
    for peer in 0..NODES {
        for role in ["replication replicator", "all rewinder"] {
            lines.push(format!("host {role} {}/32 scram-sha-256", address(c, peer)));
        }
    }
    lines
}

fn hba(c: usize) -> String {
    let mut text = format!("# TYPE  DATABASE  USER  ADDRESS  METHOD\n{}\n", own_lines(c).join("\n"));
    for app in 0..60 {
        let _ =
            writeln!(text, "hostssl app_{app} app_{app} 10.{}.{app}.0/24 scram-sha-256  # team {}", c % 256, app % 9);
    }
    text
}

fn conf(c: usize) -> String {
    let mut text = format!("# cluster {c}\nlisten_addresses = '*'\nport = 5432\n");
    for (i, name) in ["work_mem", "temp_buffers", "maintenance_work_mem", "wal_buffers", "logical_decoding_work_mem"]
        .iter()
        .cycle()
        .take(50)
        .enumerate()
    {
        let _ = writeln!(text, "#{name} = {}MB\t\t# example {i}", 4 + (c + i) % 60);
    }
    let _ = writeln!(text, "shared_buffers = {}MB\nmax_connections = {}", 128 + c % 512, connections(c));
    text
}
