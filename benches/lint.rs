//! What `lint` costs as a whole process, beside the programs people use for it and beside only reading the files.
//!
//! Everything is measured in one run, so that the ratios hold on any machine: `make bench`. With `--strict` a missed aim is
//! a failure.

#![expect(clippy::disallowed_methods, reason = "whole processes are what is measured")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the table is the result")]

mod files;
mod reader;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

const LINT: &str = env!("CARGO_BIN_EXE_patroni-preflight");
const YAMLLINT_SAMPLE: usize = 200;
const VALIDATE_SAMPLE: usize = 20;

type Result<T> = std::result::Result<T, String>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let [verb, dir] = args.as_slice()
        && verb == "read"
    {
        println!("{}", reader::read_all(Path::new(dir)));
        return ExitCode::SUCCESS;
    }
    match run(args.iter().any(|a| a == "--strict")) {
        Ok(met) => ExitCode::from(u8::from(!met)),
        Err(why) => {
            eprintln!("bench: {why}");
            ExitCode::from(2)
        }
    }
}

fn run(strict: bool) -> Result<bool> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tools = std::env::var_os("PREFLIGHT_TOOLS").map_or_else(|| root.join("target/tools"), PathBuf::from);
    let many = root.join("target/bench/files");
    let yml = files::generate(&many).map_err(|e| format!("{}: {e}", many.display()))?;
    looks_at_files(&root.join("target/bench/broken"))?;
    let met_one = one_file(&tools, &yml[0])?;
    let met_many = many_files(&tools, &many, &yml)?;
    Ok(!strict || (met_one && met_many))
}

/// A linter that looks at nothing is quick: it must find what is broken before its time counts.
fn looks_at_files(dir: &Path) -> Result<()> {
    let file = dir.join("patroni.yml");
    std::fs::create_dir_all(dir)
        .and_then(|()| std::fs::write(&file, "scope: x\nname:\ty\n"))
        .map_err(|e| e.to_string())?;
    let status = Command::new(LINT).arg("lint").arg(dir).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match status.map_err(|e| e.to_string())?.code() {
        Some(1) => Ok(()),
        code => {
            Err(format!("lint of a broken patroni.yml ended with {code:?}, not with 1: there is nothing to measure"))
        }
    }
}

fn one_file(tools: &Path, file: &Path) -> Result<bool> {
    let name = file.as_os_str().to_str().ok_or("the path is no UTF-8")?;
    let size = std::fs::metadata(file).map_err(|e| e.to_string())?.len();
    println!("one file ({size} bytes), whole process, median");
    let lint = median(30, || time(Path::new(LINT), &["lint", name], &[0, 1, 3]))?;
    row("patroni-preflight lint", lint, lint);
    let cat = median(30, || time(Path::new("cat"), &[name], &[0]))?;
    row("cat", cat, lint);
    let yamllint = median(5, || time(&tools.join("py/bin/yamllint"), &[name], &[0, 1]))?;
    row("yamllint", yamllint, lint);
    let validate = median(5, || time(&tools.join("py/bin/patroni"), &["--validate-config", name], &[0, 1]))?;
    row("patroni --validate-config", validate, lint);
    Ok(aim("one file in at most 5 ms", lint <= 5.0))
}

fn many_files(tools: &Path, dir: &Path, yml: &[PathBuf]) -> Result<bool> {
    let name = dir.as_os_str().to_str().ok_or("the path is no UTF-8")?;
    let all = files::COUNT;
    println!("\n{all} files ({} of them patroni.yml), whole process, median", yml.len());
    let me = std::env::current_exe().map_err(|e| e.to_string())?;
    let lint = median(5, || time(Path::new(LINT), &["lint", name], &[0, 1, 3]))?;
    row("patroni-preflight lint", lint, lint);
    let read = median(5, || time(&me, &["read", name], &[0]))?;
    row("only reading them, with all cores", read, lint);
    let sample: Vec<&str> = yml.iter().take(YAMLLINT_SAMPLE).filter_map(|p| p.to_str()).collect();
    let yamllint = time(&tools.join("py/bin/yamllint"), &sample, &[0, 1])?;
    row(&format!("yamllint (scaled from {})", sample.len()), scaled(yamllint, sample.len()), lint);
    let mut validate = 0.0;
    for file in yml.iter().take(VALIDATE_SAMPLE).filter_map(|p| p.to_str()) {
        validate += time(&tools.join("py/bin/patroni"), &["--validate-config", file], &[0, 1])?;
    }
    row(&format!("patroni --validate-config (scaled from {VALIDATE_SAMPLE})"), scaled(validate, VALIDATE_SAMPLE), lint);
    let quick = aim(&format!("{all} files in at most 1 s"), lint <= 1000.0);
    let near = aim("at most 20 times only reading them", lint <= 20.0 * read);
    Ok(quick && near)
}

#[expect(clippy::cast_precision_loss, reason = "the counts are small")]
fn scaled(ms: f64, sample: usize) -> f64 {
    ms * files::COUNT as f64 / sample as f64
}

fn row(what: &str, ms: f64, lint: f64) {
    println!("  {what:<46} {ms:>12.2} ms  {:>10.2} x", ms / lint);
}

fn aim(what: &str, met: bool) -> bool {
    println!("  {}: {what}", if met { "PASS" } else { "FAIL" });
    met
}

/// Milliseconds of one process; an end that is not among the expected ones is an error.
fn time(program: &Path, args: &[&str], expected: &[i32]) -> Result<f64> {
    let begin = Instant::now();
    let status = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|e| format!("{}: {e} (run `make setup`)", program.display()))?;
    let ms = begin.elapsed().as_secs_f64() * 1000.0;
    match status.code() {
        Some(code) if expected.contains(&code) => Ok(ms),
        _ => Err(format!("{} {} ended with {status}", program.display(), args.first().unwrap_or(&""))),
    }
}

/// The middle of several runs after some for warmth; what takes seconds is measured once.
fn median(runs: usize, mut once: impl FnMut() -> Result<f64>) -> Result<f64> {
    let first = once()?;
    if first > 5000.0 {
        return Ok(first);
    }
    for _ in 1..runs.div_ceil(5) {
        once()?;
    }
    let mut times = (0..runs).map(|_| once()).collect::<Result<Vec<_>>>()?;
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}
