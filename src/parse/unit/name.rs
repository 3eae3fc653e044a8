//! Names of units: templates and instances, their drop-in directories, specifiers (systemd.unit(5)).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A name in its parts: `postgresql@15-main.service` is `postgresql`, `15-main`, `service`.
struct Parts<'a> {
    prefix: &'a str,
    instance: Option<&'a str>,
    suffix: &'a str,
}

fn parts(name: &str) -> Parts<'_> {
    let (stem, suffix) = name.rsplit_once('.').unwrap_or((name, "service"));
    match stem.split_once('@') {
        Some((prefix, instance)) => Parts { prefix, instance: Some(instance), suffix },
        None => Parts { prefix: stem, instance: None, suffix },
    }
}

/// The names of the directories whose `*.conf` files extend a unit, the most specific first: of the name itself, of its
/// template, of each of its prefixes that ends in a dash, of all units of the type.
#[must_use]
pub fn dropin_dirs(name: &str) -> Vec<String> {
    let Parts { prefix, instance, suffix } = parts(name);
    let mut dirs = Vec::new();
    let full = instance.map_or_else(|| prefix.to_owned(), |i| format!("{prefix}@{i}"));
    dirs.push(format!("{full}.{suffix}.d"));
    let at = if instance.is_some() { "@" } else { "" };
    if instance.is_some_and(|i| !i.is_empty()) {
        dirs.push(format!("{prefix}@.{suffix}.d"));
    }
    let mut rest = prefix;
    while let Some(dash) = rest.as_bytes()[..rest.len().saturating_sub(1)].iter().rposition(|b| *b == b'-') {
        rest = &rest[..=dash];
        if let Some(instance) = instance.filter(|i| !i.is_empty()) {
            dirs.push(format!("{rest}@{instance}.{suffix}.d"));
        }
        dirs.push(format!("{rest}{at}.{suffix}.d"));
    }
    dirs.push(format!("{suffix}.d"));
    dirs
}

/// Puts drop-in files into the order in which systemd reads them: by file name, whatever their directories. Of those with
/// the same name only the first given counts, so give the directories in the order of [`dropin_dirs`].
#[must_use]
pub fn order_dropins(files: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut by_name = BTreeMap::new();
    for file in files.into_iter().filter(|f| f.extension().is_some_and(|e| e == "conf")) {
        if let Some(name) = file.file_name().map(std::ffi::OsStr::to_owned) {
            by_name.entry(name).or_insert(file);
        }
    }
    by_name.into_values().collect()
}

/// Replaces the specifiers that a unit's name determines: `%n %N %p %P %i %I %j %J %%`. `None` when another one is in the
/// text, whose value only the host knows.
#[must_use]
pub fn expand(text: &str, unit: &Path) -> Option<String> {
    let name = unit.file_name()?.to_str()?;
    let Parts { prefix, instance, suffix } = parts(name);
    let instance = instance.unwrap_or_default();
    let last = prefix.rsplit('-').next().unwrap_or(prefix);
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push_str(name),
            Some('N') => out.push_str(name.strip_suffix(suffix).and_then(|s| s.strip_suffix('.')).unwrap_or(name)),
            Some('p') => out.push_str(prefix),
            Some('P') => out.push_str(&unescape(prefix)?),
            Some('i') => out.push_str(instance),
            Some('I') => out.push_str(&unescape(instance)?),
            Some('j') => out.push_str(last),
            Some('J') => out.push_str(&unescape(last)?),
            Some('%') | None => out.push('%'),
            Some(_) => return None,
        }
    }
    Some(out)
}

/// Undoes systemd-escape: `-` is a slash, `\xHH` a byte.
fn unescape(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'-' => out.push(b'/'),
            b'\\' => {
                let digits = text.get(at + 1..at + 4)?.strip_prefix('x')?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
                at += 3;
            }
            byte => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drop_in_directories_go_from_the_instance_to_the_type() {
        assert_eq!(dropin_dirs("a-b.service"), ["a-b.service.d", "a-.service.d", "service.d"]);
        assert_eq!(dropin_dirs("a-\u{202e}"), ["a-\u{202e}.service.d", "a-.service.d", "service.d"]);
        assert_eq!(dropin_dirs("pg@15-main.service"), ["pg@15-main.service.d", "pg@.service.d", "service.d"]);
        assert_eq!(
            order_dropins(["b/20-x.conf", "a/10-y.conf", "a/20-x.conf", "a/README"].map(PathBuf::from)),
            ["a/10-y.conf", "b/20-x.conf"].map(PathBuf::from)
        );
    }

    #[test]
    fn specifiers_of_the_name_are_replaced_and_others_are_unknown() {
        let unit = Path::new("/etc/systemd/system/postgresql@15-main.service");
        assert_eq!(
            expand("%p/%i/%I %% %n %N", unit).as_deref(),
            Some("postgresql/15-main/15/main % postgresql@15-main.service postgresql@15-main")
        );
        assert_eq!(expand("%H", unit), None);
        assert_eq!(expand(r"%I", Path::new(r"x@a\x2db-c.service")).as_deref(), Some("a-b/c"));
    }
}
