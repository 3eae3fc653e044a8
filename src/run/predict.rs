//! `predict`: what was collected about members, or read in a repository, and what Patroni's take-over will make of it.

use std::path::PathBuf;

use super::Output;
use super::check::{Check, bundle, check, options};
use super::lint::{Lint, lint};
use super::said::redactor;
use crate::cli::{PredictArgs, PredictFormat};
use crate::predict;
use crate::report::prediction::{Shown, json, text};
use crate::rules::engine::Selection;
use crate::terminal::Surroundings;

pub(super) fn command(args: &PredictArgs, around: &Surroundings) -> Result<Output, String> {
    let options = options(&args.asked)?;
    let linted = if args.offline {
        let paths = if args.asked.members.is_empty() { vec![PathBuf::from(".")] } else { args.asked.members.clone() };
        lint(&Lint { paths, options, ..Lint::default() })?
    } else {
        let bundle = bundle(&args.asked, &args.bundle, options, &[], around)?;
        check(&Check { bundle, options, selection: Selection::default(), rules: Vec::new() })
    };
    let prediction = predict::predict(&linted.facts);
    let redactor = redactor(&linted.facts);
    let shown = Shown {
        prediction: &prediction,
        outcome: &linted.outcome,
        sources: &linted.facts.sources,
        redactor: &redactor,
        all: args.all,
    };
    let stdout = match args.format {
        PredictFormat::Text => text::render(&shown),
        PredictFormat::Json => json::render(&shown),
    };
    Ok(Output { stdout, ..Output::default() })
}
