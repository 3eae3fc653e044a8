//! How a host is looked at: a list of small questions, all of a round in one go.
//!
//! A host that runs is asked by a script that goes to the standard input of `sh -s`, here or behind a prefix such as
//! `ssh TARGET`. Each answer stands in a frame of lines that hold 32 random digits. What a question is about comes to its program
//! as quoted words, and never as a part of its text. The script writes nothing and needs no more than what every system has;
//! where a program is absent, its question has no answer, and says so.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, Hasher as _};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{root, scripts};
use crate::bundle::Miss;
use crate::bundle::host::Clock;
use crate::gap::GapReason;

/// Where a host is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// This machine.
    Here,
    /// Behind a command that runs another one there: `ssh pg1.example`, `nsenter -t 42 -a`.
    Through(Vec<String>),
    /// The tree of one that does not run.
    Root(PathBuf),
}

/// How long we wait, and for how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For one question, in whole seconds.
    pub probe: u32,
    /// For all questions of a round.
    pub round: Duration,
    /// Bytes of one answer.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { probe: 5, round: Duration::from_mins(1), bytes: 1 << 20 }
    }
}

/// What was touched on a host, for `--manifest`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Files and directories that were read or looked at; some are patterns.
    pub files: BTreeSet<String>,
    /// Programs that were run, with their words.
    pub programs: BTreeSet<String>,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Probe {
    /// What there is at a path.
    Stat(String),
    /// The text of a file.
    Read(String),
    /// The names in a directory.
    List(String),
    /// Files and links in a directory and those directly below it.
    Tree(String),
    /// Lines of files.
    Grep(&'static str, &'static [&'static str]),
    /// Number and groups of a user.
    User(String),
    /// A program.
    Run(Vec<String>),
    /// A script of ours with its words, the programs that it runs beside those of the shell, and the files that it reads.
    Script(&'static str, Vec<String>, &'static [&'static str], &'static [&'static str]),
}

impl Probe {
    fn words(&self, limits: &Limits) -> Vec<String> {
        let script = |text: &str, args: &[&str]| {
            let head = ["sh", "-c", text, "sh"];
            head.iter().chain(args).map(|w| (*w).to_owned()).collect::<Vec<_>>()
        };
        match self {
            Self::Stat(path) => script(scripts::STAT, &[path]),
            Self::Read(path) => script(scripts::READ, &[path, &(limits.bytes + 1).to_string()]),
            Self::List(path) => script(scripts::LIST, &[path]),
            Self::Tree(path) => script(scripts::TREE, &[path]),
            Self::Grep(pattern, files) => script(scripts::GREP, &[&[*pattern], *files].concat()),
            Self::User(name) => script(scripts::USER, &[name]),
            Self::Run(words) => words.clone(),
            Self::Script(text, args, ..) => script(text, &args.iter().map(String::as_str).collect::<Vec<_>>()),
        }
    }

    /// Whether it may be asked together with others of its kind.
    fn is_small(&self) -> bool {
        matches!(self, Self::Stat(path) if !path.contains('\0'))
    }

    fn note(&self, manifest: &mut Manifest) {
        match self {
            Self::Stat(path) | Self::Read(path) | Self::List(path) | Self::Tree(path) => {
                manifest.files.insert(path.clone());
            }
            Self::Grep(_, files) => manifest.files.extend(files.iter().map(|f| (*f).to_owned())),
            Self::User(name) => {
                manifest.programs.insert(format!("id {name}"));
            }
            Self::Run(words) => {
                manifest.programs.insert(words.join(" "));
            }
            Self::Script(_, args, programs, files) => {
                let args = args.join(" ");
                manifest.programs.extend(programs.iter().map(|p| p.replace('$', &args)));
                manifest.files.extend(files.iter().map(|f| (*f).to_owned()));
            }
        }
    }
}

/// What a program said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Its output, up to the limit.
    pub(super) out: Vec<u8>,
    /// Whether there was more.
    pub(super) cut: bool,
    /// The end of what it wrote to standard error.
    pub(super) err: String,
    /// Its exit code.
    pub(super) code: i32,
}

/// The answer to a question, or why none came.
pub(super) type Reply = Result<Said, Miss>;

/// The questions of a round; each is asked once.
#[derive(Debug, Default)]
pub(super) struct Ask(Vec<Probe>);

impl Ask {
    /// Adds a question; its answer has this number.
    pub(super) fn add(&mut self, probe: Probe) -> usize {
        self.0.iter().position(|p| *p == probe).unwrap_or_else(|| {
            self.0.push(probe);
            self.0.len() - 1
        })
    }

    /// How many questions there are.
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn stat(&mut self, path: impl Into<String>) -> usize {
        self.add(Probe::Stat(path.into()))
    }

    pub(super) fn read(&mut self, path: impl Into<String>) -> usize {
        self.add(Probe::Read(path.into()))
    }

    pub(super) fn list(&mut self, path: impl Into<String>) -> usize {
        self.add(Probe::List(path.into()))
    }

    pub(super) fn run(&mut self, words: &[&str]) -> usize {
        self.add(Probe::Run(words.iter().map(|w| (*w).to_owned()).collect()))
    }
}

/// Looks at one host.
#[derive(Debug)]
pub(super) struct Eye<'a> {
    pub(super) way: &'a Way,
    pub(super) limits: Limits,
    pub(super) manifest: Manifest,
    /// The clock, as the first round has seen it.
    pub(super) clock: Option<Clock>,
}

impl Eye<'_> {
    /// Asks the questions of a round.
    ///
    /// # Errors
    /// When the host cannot be had at all.
    pub(super) async fn ask(&mut self, ask: Ask) -> Result<Vec<Reply>, Miss> {
        for probe in &ask.0 {
            probe.note(&mut self.manifest);
        }
        let mut command = match self.way {
            Way::Root(path) => return Ok(ask.0.iter().map(|p| root::answer(path, p, self.limits.bytes)).collect()),
            Way::Here => Vec::new(),
            Way::Through(prefix) => prefix.clone(),
        };
        command.extend(["sh", "-s"].map(str::to_owned));
        self.manifest.programs.insert(TOOLS.to_owned());
        let (token, mut all) = (token(), Vec::new());
        let script = script(&token, &ask.0, &self.limits, true);
        let heard = talk(&command, script, &token, self.limits.round).await?;
        self.clock = self.clock.or(heard.clock);
        let reply = |heard: &Heard, n| frame(&heard.out, &token, n, self.limits.bytes, &heard.end);
        all.extend((0..ask.0.len()).map(|n| reply(&heard, n)));
        // A path that hangs keeps the others that are looked at together with it from their answers; by itself it is only one.
        let left: Vec<usize> = (0..all.len()).filter(|n| all[*n].is_err() && ask.0[*n].is_small()).collect();
        let is_over = heard.end.why == GapReason::TimedOut;
        if !left.is_empty() && !is_over {
            let probes: Vec<Probe> = left.iter().map(|n| ask.0[*n].clone()).collect();
            let script = self::script(&token, &probes, &self.limits, false);
            let heard = talk(&command, script, &token, self.limits.round).await?;
            for (n, at) in left.into_iter().enumerate() {
                all[at] = reply(&heard, n);
            }
        }
        Ok(all)
    }
}

/// What the script itself runs, beside the programs that are asked.
const TOOLS: &str =
    "sh -s, with awk, date, grep, head, id, ls, od, readlink, sed, setsid, sleep, stat, tail, timeout and tr";

/// 32 random hexadecimal digits.
fn token() -> String {
    let random = || std::collections::hash_map::RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random() ^ random().rotate_left(17))
}

/// One word for the shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The script of a round; small questions may go together.
fn script(token: &str, probes: &[Probe], limits: &Limits, together: bool) -> String {
    // A function is read to its end before it runs: a connection that breaks leaves nothing half done.
    let mut text = format!("T={token}\nmain() {{\n{}\n", include_str!("probe.sh"));
    let small = |probe: &Probe| together && probe.is_small();
    let paths = probes.iter().enumerate().filter_map(|(n, probe)| match probe {
        Probe::Stat(path) if small(probe) => Some(format!(" {n} {}", quoted(path))),
        _ => None,
    });
    let paths: String = paths.collect();
    if !paths.is_empty() {
        let _ = writeln!(text, "b {} {} sh {token}{paths}", limits.probe, quoted(scripts::STATS));
    }
    for (n, probe) in probes.iter().enumerate().filter(|(_, probe)| !small(probe)) {
        let words = probe.words(limits);
        if words.iter().any(|w| w.contains('\0')) {
            continue;
        }
        let words: Vec<_> = words.iter().map(|w| quoted(w)).collect();
        let _ = writeln!(text, "p {n} {} {} {}", limits.bytes + 1, limits.probe, words.join(" "));
    }
    text + "}\nmain\nexit 0\n"
}

/// What came from there.
struct Heard {
    out: Vec<u8>,
    clock: Option<Clock>,
    /// Why there is no more of it.
    end: Miss,
}

#[expect(clippy::disallowed_methods, reason = "collect runs programs")]
async fn talk(words: &[String], script: String, token: &str, most: Duration) -> Result<Heard, Miss> {
    let unreachable = |detail: String| Miss { why: GapReason::Unreachable, detail };
    let mut child = tokio::process::Command::from(std::process::Command::new(&words[0]))
        .args(&words[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| unreachable(format!("{}: {e}", words[0])))?;
    let (Some(mut stdin), Some(mut stdout), Some(mut stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(unreachable("no pipes".to_owned()));
    };
    let (mut out, mut err, mut clock) = (Vec::new(), Vec::new(), None);
    let hello = format!("{token} hello ");
    let work = async {
        let write = async {
            // Whoever does not listen says why on standard error.
            let _ = stdin.write_all(script.as_bytes()).await;
            drop(stdin);
        };
        let read = async {
            while let Ok(n) = stdout.read_buf(&mut out).await
                && n > 0
                && out.len() < MOST
            {
                if clock.is_none() {
                    clock = greeting(&out, hello.as_bytes());
                }
            }
        };
        let listen = async {
            let mut part = Vec::new();
            while let Ok(n) = stderr.read_buf(&mut part).await
                && n > 0
            {
                let keep = part.len().min(4096_usize.saturating_sub(err.len()));
                err.extend_from_slice(&part[..keep]);
                part.clear();
            }
        };
        tokio::join!(write, read, listen);
        child.wait().await
    };
    let ended = tokio::time::timeout(most, work).await;
    let err = String::from_utf8_lossy(&err).trim().to_owned();
    let end = match &ended {
        Err(_) => Miss { why: GapReason::TimedOut, detail: format!("no answer within {} s", most.as_secs_f32()) },
        // What ssh says when no key and no password is taken.
        Ok(_) if err.contains("Permission denied (") => Miss { why: GapReason::Denied, detail: err },
        Ok(_) if !err.is_empty() => unreachable(err),
        Ok(Ok(status)) => unreachable(format!("{} ended early: {status}", words[0])),
        Ok(Err(e)) => unreachable(e.to_string()),
    };
    if clock.is_none() && memmem::find(&out, hello.as_bytes()).is_none() {
        return Err(end);
    }
    Ok(Heard { out, clock, end })
}

/// More than this is not read of one round.
const MOST: usize = 256 << 20;

/// The clock in the first line of ours, once it is there.
fn greeting(out: &[u8], hello: &[u8]) -> Option<Clock> {
    let start = memmem::find(out, hello)? + hello.len();
    let end = start + memchr::memchr(b'\n', &out[start..])?;
    let here = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    let line = std::str::from_utf8(&out[start..end]).ok()?;
    let (seconds, nanos) = line.split_once(' ').unwrap_or((line, ""));
    let there = seconds.parse::<i64>().ok()? * 1000 + nanos.parse::<i64>().unwrap_or(0) / 1_000_000;
    Some(Clock { there, here: i64::try_from(here.as_millis()).ok()? })
}

/// The answer to a question out of all that was said.
fn frame(out: &[u8], token: &str, n: usize, most: usize, end: &Miss) -> Reply {
    let find = |from: usize, what: String| {
        memmem::find(&out[from..], what.as_bytes()).map(|at| (from + at, from + at + what.len()))
    };
    let whole = || {
        let (_, start) = find(0, format!("{token} {n} out\n"))?;
        let (stop, said) = find(start, format!("\n{token} {n} said\n"))?;
        let (done, _) = find(said, format!("\n{token} {n} end\n"))?;
        Some((&out[start..stop], String::from_utf8_lossy(&out[said..done]).into_owned()))
    };
    let (bytes, said) = whole().ok_or_else(|| end.clone())?;
    let (err, code) = said.rsplit_once('\n').unwrap_or(("", &said));
    let code = code.trim().parse().map_err(|_| end.clone())?;
    let (cut, bytes) = (bytes.len() > most, &bytes[..bytes.len().min(most)]);
    let err: String = err.trim().chars().filter(|c| !c.is_control() || *c == '\n').collect();
    // What ended because nobody took the rest of its output has not failed.
    let code = if cut { 0 } else { code };
    if matches!(code, 124 | 137) {
        return Err(Miss { why: GapReason::TimedOut, detail: err });
    }
    Ok(Said { out: bytes.to_vec(), cut, err, code })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_through_the_shell_as_they_are() {
        assert_eq!(quoted("a'b $(x) `y`\n\"z\""), "'a'\\''b $(x) `y`\n\"z\"'");
        assert_ne!(token(), token());
        assert_eq!(token().len(), 32);
    }

    #[test]
    fn frames_are_told_from_what_stands_in_them() {
        let end = Miss { why: GapReason::TimedOut, detail: String::new() };
        let out = b"welcome\nT hello 1 2\nT 0 out\nT 1 out\n\nT 0 said\nno\nsuch\n2\nT 0 end\nT 1 out\nabcdef\nT 1 said\n\n141\nT 1 end\nT 2 out\nx";
        let first = frame(out, "T", 0, 99, &end).expect("an answer");
        assert_eq!((&first.out[..], &*first.err, first.code), (&b"T 1 out\n"[..], "no\nsuch", 2));
        assert_eq!(frame(out, "T", 2, 99, &end), Err(end));
    }
}
