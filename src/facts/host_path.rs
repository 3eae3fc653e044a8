//! Paths of a host as configuration files name them, and the files of a repository that stand for them.

use std::path::Path;

use crate::knowledge::guc::MAJORS;

/// Where programs are looked for without a word about it, by systemd too.
pub const PATH: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// A path without `.`, `..`, doubled slashes and a slash at its end, by the text alone (`os.path.abspath`).
#[must_use]
pub fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    if path.starts_with('/') { format!("/{joined}") } else { joined }
}

/// The directory that a path lies in.
#[must_use]
pub fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((dir, _)) => dir,
        None => "",
    }
}

/// Whether a path is a directory or lies below it.
#[must_use]
pub fn is_below(path: &str, dir: &str) -> bool {
    let (path, dir) = (normal(path), normal(dir));
    path.strip_prefix(&dir).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || dir == "/")
}

/// `/var/run` is a link to `/run` on every system with systemd.
#[must_use]
pub fn below_run(path: &str) -> Option<String> {
    let path = normal(path);
    let rest = path.strip_prefix("/var/run/").or_else(|| path.strip_prefix("/run/"))?;
    Some(rest.to_owned())
}

/// Where a file of a repository lies on its host, when the repository keeps the directories of hosts: everything from a
/// directory `etc/postgresql`, `var/lib/postgresql` or `var/lib/pgsql` on.
#[must_use]
pub fn on_host(path: &Path) -> Option<String> {
    const HOMES: [&str; 3] = ["/etc/postgresql/", "/var/lib/postgresql/", "/var/lib/pgsql/"];
    let whole = format!("/{}", path.to_str()?.trim_start_matches('/'));
    HOMES.iter().find_map(|home| whole.rfind(home).map(|at| whole[at..].to_owned()))
}

/// The major version in a path that packages use: `/usr/lib/postgresql/15/bin`, `/usr/pgsql-15/bin`, `/var/lib/pgsql/15/data`.
/// Stricter than a guess: a bare number counts behind `postgresql` and `pgsql` only.
#[must_use]
pub fn packaged_version(path: &str) -> Option<u16> {
    let mut before = "";
    for part in path.split('/') {
        let digits = match part {
            _ if ["postgresql", "pgsql", "postgres"].contains(&before) => Some(part),
            _ => ["postgresql-", "pgsql-"].iter().find_map(|p| part.strip_prefix(p)),
        };
        if let Some(version) = digits.and_then(|d| d.parse().ok()).filter(|v| (10..=*MAJORS.end()).contains(v)) {
            return Some(version);
        }
        before = part;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_as_directories() {
        assert_eq!(normal("/a//b/../c/."), "/a/c");
        assert!(is_below("/a/b/c", "/a/b/") && is_below("/a/b", "/a/b") && !is_below("/a/bc", "/a/b"));
        assert_eq!(below_run("/var/run/postgresql/x").as_deref(), Some("postgresql/x"));
        assert_eq!((parent("/a/b"), parent("/a"), parent("a")), ("/a", "/", ""));
    }

    #[test]
    fn repositories_that_keep_the_directories_of_hosts_tell_where_a_file_lies() {
        let at = |p: &str| on_host(Path::new(p));
        assert_eq!(at("pg1/etc/postgresql/15/main/x.conf").as_deref(), Some("/etc/postgresql/15/main/x.conf"));
        assert_eq!(at("etc/postgresql/15/main/x.conf").as_deref(), Some("/etc/postgresql/15/main/x.conf"));
        assert_eq!(at("pg1/postgresql.conf"), None);
    }

    #[test]
    fn versions_are_read_where_packages_put_them() {
        for path in
            ["/usr/lib/postgresql/15/bin", "/usr/pgsql-15/bin", "/var/lib/pgsql/15/data", "/opt/postgresql-15/bin"]
        {
            assert_eq!(packaged_version(path), Some(15), "{path}");
        }
        for path in ["/data/15/main", "/mnt/pg15", "/var/lib/postgresql/data", "/srv/postgresql/7/x"] {
            assert_eq!(packaged_version(path), None, "{path}");
        }
    }
}
