//! The tree of a host that does not run: the same answers that its own programs would give, with links that stay inside.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{Error, ErrorKind, Read as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use regex::Regex;

use super::eye::{Probe, Reply, Said};
use crate::bundle::Miss;
use crate::gap::GapReason;

/// The answer to a question.
pub(super) fn answer(root: &Path, probe: &Probe, most: usize) -> Reply {
    let done = |result: Result<Said, Error>| Ok(result.unwrap_or_else(|e| failed(&e)));
    match probe {
        Probe::Stat(path) => done(stat(root, path)),
        Probe::Read(path) => done(read(root, path, most)),
        Probe::List(path) => done(list(root, path)),
        Probe::Tree(path) => done(tree(root, path)),
        Probe::Grep(pattern, files) => Ok(grep(root, pattern, files, most)),
        Probe::User(name) => Ok(user(root, name)),
        Probe::Run(_) | Probe::Script(..) => {
            Err(Miss { why: GapReason::NotGiven, detail: "the host does not run".to_owned() })
        }
    }
}

fn failed(error: &Error) -> Said {
    let err = match error.kind() {
        ErrorKind::NotFound => "No such file or directory".to_owned(),
        ErrorKind::NotADirectory => "Not a directory".to_owned(),
        ErrorKind::PermissionDenied => "Permission denied".to_owned(),
        _ => error.to_string(),
    };
    Said { code: 1, err, ..Said::default() }
}

/// Links that are followed for one path.
const LINKS: u32 = 40;

/// Where a path of that host lies here, links followed inside of the tree; the last part only on demand. The path as that host
/// sees it comes with it.
fn resolve(root: &Path, path: &str, last: bool) -> Result<(PathBuf, PathBuf), Error> {
    let mut todo: Vec<OsString> = parts(Path::new(path));
    let mut done = PathBuf::from("/");
    let mut links = 0;
    while let Some(part) = todo.pop() {
        if part == ".." {
            done.pop();
            continue;
        }
        let next = done.join(&part);
        let here = inside(root, &next);
        let metadata = std::fs::symlink_metadata(&here)?;
        if metadata.is_symlink() && (last || !todo.is_empty()) {
            links += 1;
            if links > LINKS {
                return Err(Error::other("Too many levels of symbolic links"));
            }
            let target = std::fs::read_link(&here)?;
            if target.is_absolute() {
                done = PathBuf::from("/");
            }
            todo.extend(parts(&target));
        } else if !todo.is_empty() && !metadata.is_dir() {
            return Err(Error::from(ErrorKind::NotADirectory));
        } else {
            done = next;
        }
    }
    Ok((inside(root, &done), done))
}

/// The parts of a path, the first one last.
fn parts(path: &Path) -> Vec<OsString> {
    let part = |c| match c {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.components().rev().filter_map(part).collect()
}

fn inside(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

fn stat(root: &Path, path: &str) -> Result<Said, Error> {
    let names = [name_of(root, "/etc/passwd"), name_of(root, "/etc/group")];
    let line = |m: &std::fs::Metadata| {
        let name = |of: usize, id: u32| {
            names[of].iter().find(|(n, _)| *n == id).map_or("UNKNOWN", |(_, name)| name.as_str()).to_owned()
        };
        format!("{:x}|{}|{}|{}|{}|{}\n", m.mode(), m.uid(), name(0, m.uid()), m.gid(), name(1, m.gid()), m.size())
    };
    let (here, _) = resolve(root, path, false)?;
    let mut out = line(&std::fs::symlink_metadata(here)?).into_bytes();
    match resolve(root, path, true).and_then(|(here, there)| Ok((std::fs::symlink_metadata(here)?, there))) {
        Ok((m, there)) => {
            out.extend(line(&m).bytes());
            out.extend(there.into_os_string().into_vec());
            out.push(b'\n');
        }
        Err(e) if e.kind() == ErrorKind::PermissionDenied => out.extend(b"denied\n"),
        Err(_) => out.extend(b"dead\n"),
    }
    Ok(Said { out, ..Said::default() })
}

/// Numbers and names of a file such as `/etc/passwd`.
fn name_of(root: &Path, file: &str) -> Vec<(u32, String)> {
    let line = |line: &str| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        Some((number.parse().ok()?, name.to_owned()))
    };
    text(root, file).lines().filter_map(line).collect()
}

fn text(root: &Path, file: &str) -> String {
    read(root, file, 1 << 24).map(|said| String::from_utf8_lossy(&said.out).into_owned()).unwrap_or_default()
}

fn read(root: &Path, path: &str, most: usize) -> Result<Said, Error> {
    let (here, _) = resolve(root, path, true)?;
    if !std::fs::symlink_metadata(&here)?.is_file() {
        return Ok(Said { code: 3, err: format!("{path}: not a regular file"), ..Said::default() });
    }
    let mut out = Vec::new();
    std::fs::File::open(here)?.take(most as u64 + 1).read_to_end(&mut out)?;
    let cut = out.len() > most;
    out.truncate(most);
    Ok(Said { out, cut, ..Said::default() })
}

fn sorted(dir: &Path) -> Result<Vec<OsString>, Error> {
    let mut names = std::fs::read_dir(dir)?.map(|e| e.map(|e| e.file_name())).collect::<Result<Vec<_>, _>>()?;
    names.sort();
    Ok(names)
}

fn list(root: &Path, path: &str) -> Result<Said, Error> {
    let (here, _) = resolve(root, path, true)?;
    let mut out = Vec::new();
    for name in sorted(&here)? {
        out.extend(name.as_bytes());
        out.push(0);
    }
    Ok(Said { out, ..Said::default() })
}

fn tree(root: &Path, path: &str) -> Result<Said, Error> {
    let (here, _) = resolve(root, path, true)?;
    let mut out = Vec::new();
    let mut add = |dir: &Path, prefix: &[u8], name: &OsString| {
        let Ok(metadata) = std::fs::symlink_metadata(dir.join(name)) else { return false };
        let target = std::fs::read_link(dir.join(name)).unwrap_or_default();
        if metadata.is_symlink() || metadata.is_file() {
            out.push(if metadata.is_symlink() { b'l' } else { b'f' });
            out.push(0);
            for part in [prefix, name.as_bytes(), b"\0", target.as_os_str().as_bytes(), b"\0"] {
                out.extend(part);
            }
        }
        metadata.is_dir()
    };
    let hidden = |name: &OsString| name.as_bytes().starts_with(b".");
    for name in sorted(&here)?.iter().filter(|n| !hidden(n)) {
        if add(&here, b"", name) {
            let prefix = [name.as_bytes(), b"/"].concat();
            for below in sorted(&here.join(name))?.iter().filter(|n| !hidden(n)) {
                add(&here.join(name), &prefix, below);
            }
        }
    }
    Ok(Said { out, ..Said::default() })
}

/// The paths that a pattern with `*` leads to, and the directories that could not be read.
fn expand(root: &Path, pattern: &str, unread: &mut String) -> Vec<String> {
    let mut paths = vec![String::new()];
    for part in pattern.split('/').filter(|p| !p.is_empty()) {
        let Some((head, tail)) = part.split_once('*') else {
            for path in &mut paths {
                let _ = write!(path, "/{part}");
            }
            continue;
        };
        let mut next = Vec::new();
        for dir in paths {
            match resolve(root, &dir, true).and_then(|(here, _)| sorted(&here)) {
                Ok(names) => {
                    let names = names.into_iter().filter_map(|n| n.into_string().ok());
                    let fits = |n: &String| {
                        n.len() >= part.len() - 1 && n.starts_with(head) && n.ends_with(tail) && !n.starts_with('.')
                    };
                    next.extend(names.filter(fits).map(|n| format!("{dir}/{n}")));
                }
                Err(e) if e.kind() == ErrorKind::PermissionDenied => {
                    let _ = writeln!(unread, "{dir}: Permission denied");
                }
                Err(_) => {}
            }
        }
        paths = next;
    }
    paths
}

fn grep(root: &Path, pattern: &str, files: &[&str], most: usize) -> Said {
    let pattern = Regex::new(pattern).expect("invariant: a pattern of ours");
    let mut said = Said::default();
    for file in files.iter().flat_map(|f| expand(root, f, &mut said.err)).collect::<Vec<_>>() {
        let text = match read(root, &file, most) {
            Ok(text) if text.code == 0 => text,
            Err(e) if e.kind() == ErrorKind::PermissionDenied => {
                let _ = writeln!(said.err, "{file}: Permission denied");
                continue;
            }
            _ => continue,
        };
        let text = String::from_utf8_lossy(&text.out);
        let lines = text.lines().enumerate().filter(|(_, l)| pattern.is_match(l));
        let lines: Vec<_> = lines.map(|(n, l)| format!("{}:{l}\n", n + 1)).collect();
        if !lines.is_empty() {
            said.out.extend(format!("\0{file}\0{}", lines.concat()).bytes());
        }
    }
    said
}

fn user(root: &Path, name: &str) -> Said {
    let passwd = text(root, "/etc/passwd");
    let Some(mut fields) = passwd.lines().map(|l| l.split(':')).find(|l| l.clone().next() == Some(name)) else {
        return Said { code: 1, err: format!("{name}: no such user"), ..Said::default() };
    };
    let (uid, gid) = (fields.nth(2).unwrap_or_default().to_owned(), fields.next().unwrap_or_default().to_owned());
    let group = text(root, "/etc/group");
    let member = |line: &&str| line.rsplit(':').next().is_some_and(|users| users.split(',').any(|u| u == name));
    let more = group.lines().filter(member).filter_map(|l| l.split(':').nth(2));
    let groups: Vec<_> = std::iter::once(gid.as_str()).chain(more).collect();
    Said { out: format!("{uid}\n{}\n", groups.join(" ")).into_bytes(), ..Said::default() }
}
