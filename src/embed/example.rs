//! The case of a rule that its page shows, cut down to the lines that matter.

use std::path::{Path, PathBuf};

/// How many lines of a case may differ from the good one for both to be shown.
const FEW: usize = 6;

/// The Rust text of an `Option<Example>`, with a comma.
pub(crate) fn emit(cases: &Path, id: &str) -> String {
    let bad = folders(&cases.join(id), "bad-").into_iter().find_map(|case| read(&case, id));
    let Some((file, line, says, text)) = bad else { return "None,\n".to_owned() };
    let lines: Vec<&str> = text.lines().collect();
    let at = line - 1;
    let shown = excerpt(&lines, at.saturating_sub(1), (at + 2).min(lines.len()));
    let good = folders(&cases.join(id), "good-")
        .iter()
        .filter_map(|case| std::fs::read_to_string(case.join("input").join(&file)).ok())
        .find_map(|good| instead(&lines, at, &good));
    format!(
        "Some(Example {{ file: {file:?}, bad: {shown:?}, says: {says:?}, good: {:?} }}),\n",
        good.unwrap_or_default()
    )
}

fn folders(dir: &Path, start: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(dir).into_iter().flatten().filter_map(|e| Some(e.ok()?.path())).collect();
    found.retain(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with(start)));
    found.sort();
    found
}

/// The file, line and words of the first finding of the rule that can be shown, and the file's text.
fn read(case: &Path, id: &str) -> Option<(String, usize, String, String)> {
    let expected = std::fs::read_to_string(case.join("expected.txt")).ok()?;
    expected.lines().find_map(|said| {
        let (place, words) = said.split_once(": ")?;
        let says = words.strip_prefix(&["error", "warning", "note"].iter().find_map(|s| {
            let head = format!("{s}[{id}]: ");
            words.starts_with(&head).then_some(head)
        })?)?;
        let mut parts = place.rsplitn(3, ':');
        let (_, line, file) = (parts.next()?, parts.next()?.parse::<usize>().ok()?, parts.next()?);
        let text = std::fs::read_to_string(case.join("input").join(file)).ok()?;
        let shown = text.lines().nth(line.checked_sub(1)?)?;
        fit_to_show(shown).then(|| (file.to_owned(), line, says.to_owned(), text.clone()))
    })
}

/// Not what may be a password, is too long to read or would disturb a terminal.
fn fit_to_show(line: &str) -> bool {
    let lower = line.to_lowercase();
    let secret = ["password", "passwd", "secret", "token", "passphrase"].iter().any(|word| lower.contains(word));
    !secret && !line.trim().is_empty() && line.len() <= 100 && !line.chars().any(char::is_control)
}

/// Some lines with their numbers.
fn excerpt(lines: &[&str], from: usize, to: usize) -> String {
    let shown = (from..to).filter(|i| fit_to_show(lines[*i]));
    let shown: Vec<String> = shown.map(|i| format!(" {:>4} | {}", i + 1, lines[i])).collect();
    if shown.is_empty() { String::new() } else { shown.join("\n") + "\n" }
}

/// The lines of the good file that stand where the bad one differs, when that is at the finding and little else differs.
fn instead(bad: &[&str], at: usize, good: &str) -> Option<String> {
    let good: Vec<&str> = good.lines().collect();
    let same = bad.iter().zip(&good).take_while(|(a, b)| a == b).count();
    let room = bad.len().min(good.len()) - same;
    let tail = bad.iter().rev().zip(good.iter().rev()).take_while(|(a, b)| a == b).count().min(room);
    let (bad_end, good_end) = (bad.len() - tail, good.len() - tail);
    let near = (same.saturating_sub(1)..=bad_end).contains(&at);
    let little = bad_end - same <= FEW && (1..=FEW).contains(&(good_end - same));
    let shown = (near && little).then(|| excerpt(&good, same.saturating_sub(1), (good_end + 1).min(good.len())))?;
    (!shown.is_empty()).then_some(shown)
}
