//! What was found becomes reports: in which shapes, where they go, and what must not be seen in them.

use std::path::PathBuf;

use super::{Output, fault};
use crate::cli::{Format, PredictFormat, Report, ReportArgs};
use crate::collect::host;
use crate::facts::Facts;
use crate::facts::topology::topology;
use crate::output;
use crate::predict::{self, Prediction};
use crate::report::prediction::Shown;
use crate::report::prediction::text::Paper;
use crate::report::redact::Redactor;
use crate::report::{self, Changes, Links, Page, Question, Style};
use crate::rules::builtin::BUILTIN;
use crate::rules::engine::Outcome;
use crate::rules::schema::{Rule, Severity};
use crate::source::SourceId;
use crate::terminal::Surroundings;

/// What a run saw and found.
#[derive(Debug)]
pub struct Linted {
    /// The files and what they say.
    pub facts: Facts,
    /// What the rules made of it.
    pub outcome: Outcome,
    /// What was read as configuration.
    pub files: Vec<SourceId>,
    pub(super) rules: Vec<Rule>,
    /// What was asked.
    pub(super) question: Question,
    /// What has changed since another moment, if that was asked.
    pub(super) changes: Option<Changes>,
}

impl Linted {
    /// The rules that findings may name, sorted by id.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        if self.rules.is_empty() { BUILTIN } else { &self.rules }
    }
}

/// What must not be seen of some facts.
pub(super) fn redactor(facts: &Facts) -> Redactor {
    let hidden = facts.secret_spans().iter().chain(facts.hidden()).copied();
    Redactor::new(hidden, facts.secrets().iter().cloned())
}

/// The report of a run in one format, and the exit code.
#[must_use]
pub fn render(linted: &Linted, format: Format, fail_on: Severity, style: &Style) -> (String, u8) {
    let is_told = format == Format::Html && linted.question == Question::Members;
    let prediction = is_told.then(|| predict::predict(&linted.facts));
    on_page(linted, fail_on, prediction.as_ref(), |page| {
        let text = match format {
            Format::Full => report::full::render(page, style),
            Format::Short => report::short::render(page, style),
            Format::Json => report::json::render(page),
            Format::Jsonl => report::jsonl::render(page),
            Format::Sarif => report::sarif::render(page),
            Format::Github => report::github::render(page),
            Format::Gitlab => report::gitlab::render(page),
            Format::Junit => report::junit::render(page),
            Format::Checkstyle => report::checkstyle::render(page),
            Format::Markdown => report::markdown::render(page),
            Format::Html => report::html::render(page),
        };
        (text, page.verdict.code)
    })
}

/// A prediction in one format, and the exit code.
#[must_use]
pub fn show(
    linted: &Linted,
    prediction: &Prediction,
    format: PredictFormat,
    fail_on: Severity,
    all: bool,
    paper: Paper,
) -> (String, u8) {
    on_page(linted, fail_on, Some(prediction), |page| {
        let shown = Shown { page, prediction, all };
        let verdict = report::prediction::verdict(&shown, linted.question);
        let text = match format {
            PredictFormat::Text => report::prediction::text::render(&shown, &verdict, paper),
            PredictFormat::Markdown => report::prediction::markdown::render(&shown, &verdict),
            PredictFormat::Json => report::prediction::json::render(&shown, &verdict),
            PredictFormat::Html => report::html::render(page),
        };
        (text, verdict.code)
    })
}

/// The settings of a prediction and nothing else, for `explain`.
pub(super) fn tell_settings(linted: &Linted, prediction: &Prediction, format: PredictFormat, paper: Paper) -> String {
    on_page(linted, Severity::Error, Some(prediction), |page| {
        let shown = Shown { page, prediction, all: true };
        match format {
            PredictFormat::Json => {
                let verdict = report::prediction::verdict(&shown, linted.question);
                report::prediction::json::render(&shown, &verdict)
            }
            _ => report::prediction::text::settings(&shown, paper),
        }
    })
}

/// What every format is given.
fn on_page<T>(
    linted: &Linted,
    fail_on: Severity,
    prediction: Option<&Prediction>,
    with: impl FnOnce(&Page<'_>) -> T,
) -> T {
    let verdict = report::verdict(&linted.outcome, fail_on, linted.question);
    let redactor = redactor(&linted.facts);
    let members = topology(&linted.facts);
    with(&Page {
        sources: &linted.facts.sources,
        outcome: &linted.outcome,
        rules: linted.rules(),
        redactor: &redactor,
        verdict: &verdict,
        fail_on,
        files: &linted.files,
        changes: linted.changes.as_ref(),
        members: &members,
        question: linted.question,
        prediction,
    })
}

fn links() -> Links {
    Links { host: host::name(), base: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")) }
}

/// Colours and links, as they are asked for and the terminal understands.
pub(super) fn style(args: &ReportArgs, around: &Surroundings) -> Style {
    let links = around.hyperlinks(args.hyperlinks).then(links);
    Style { colour: around.colour(args.color), links }
}

/// The reports that are asked for: one on standard output, the others into files of their own.
pub(super) fn outputs<F: Copy + Default>(format: Option<F>, further: &[Report<F>]) -> Result<Vec<Report<F>>, String> {
    let mut outputs: Vec<Report<F>> =
        further.iter().map(|r| Report { format: r.format, file: r.file.clone() }).collect();
    if let Some(format) = format {
        outputs.push(Report { format, file: None });
    } else if outputs.iter().all(|o| o.file.is_some()) {
        outputs.push(Report { format: F::default(), file: None });
    }
    for (i, output) in outputs.iter().enumerate() {
        if outputs[..i].iter().any(|other| other.file == output.file) {
            let place = output.file.as_ref().map_or("standard output".to_owned(), |f| f.display().to_string());
            return Err(format!("two reports cannot both go to {place}"));
        }
    }
    Ok(outputs)
}

/// Makes the reports of a run; those for files are written.
pub(super) fn deliver(linted: &Linted, outputs: &[Report], fail_on: Severity, style: &Style) -> Output {
    deliver_with(outputs, |format, is_file| {
        let plain = Style::default();
        render(linted, format, fail_on, if is_file { &plain } else { style })
    })
}

/// Makes reports; those for files are written. One that cannot be written makes the exit code 2, and the others are there. Asked is with a format and
/// whether it goes to a file.
pub(super) fn deliver_with<F: Copy>(outputs: &[Report<F>], make: impl Fn(F, bool) -> (String, u8)) -> Output {
    let mut all = Output::default();
    for output in outputs {
        let (text, code) = make(output.format, output.file.is_some());
        let Some(file) = &output.file else {
            all.stdout = text;
            all.code = all.code.max(code);
            continue;
        };
        if let Err(message) = output::write(file, &text) {
            all.stderr.push_str(&fault(&message).stderr);
        }
    }
    if !all.stderr.is_empty() {
        all.code = 2;
    }
    all
}
