//! The command line: arguments in, exit code out.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use clap::Parser as _;
use patroni_preflight::cli::Cli;
use patroni_preflight::run;
use patroni_preflight::terminal::{self, Surroundings};

/// Millions of small pieces from several threads: the allocator of the C library spends a tenth of a long run on locks and pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the last panic said, for the report of an internal error.
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

fn main() -> ExitCode {
    // A rule that panics is reported in its place; the default hook would print it here and now.
    std::panic::set_hook(Box::new(|info| {
        *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = info.to_string();
    }));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let around = surroundings();
    let output = std::panic::catch_unwind(|| run::run(&cli, &around)).unwrap_or_else(|_| run::Output {
        stderr: format!(
            "patroni-preflight: internal error: {}\nplease report it with the files that caused it\n",
            LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner)
        ),
        code: 2,
        ..run::Output::default()
    });
    // A reader that has gone away, as in `… | head`, is no failure.
    let _ = std::io::stdout().lock().write_all(output.stdout.as_bytes());
    let _ = std::io::stderr().lock().write_all(output.stderr.as_bytes());
    ExitCode::from(output.code)
}

#[expect(clippy::disallowed_methods, reason = "the one place that looks at the environment")]
fn surroundings() -> Surroundings {
    let var = |name| std::env::var(name).unwrap_or_default();
    Surroundings {
        stdout: std::io::stdout().is_terminal(),
        stderr: std::io::stderr().is_terminal(),
        colour: terminal::wish(&var("NO_COLOR"), &var("CLICOLOR_FORCE")),
        term: var("TERM"),
        columns: rustix::termios::tcgetwinsize(std::io::stdout())
            .ok()
            .map(|size| size.ws_col)
            .filter(|columns| *columns > 0),
    }
}
