//! `predict`: what was collected about members, or read in a repository, and what Patroni's take-over will make of it.

use std::path::PathBuf;

use super::Output;
use super::check::{Check, bundle, check, options};
use super::lint::{Lint, lint};
use super::said::{Linted, deliver_with, outputs, show};
use super::settle::{Settled, settle};
use crate::cli::PredictArgs;
use crate::predict;
use crate::report::prediction::text::{COLUMNS, Paper};
use crate::rules::schema::Severity;
use crate::terminal::Surroundings;

pub(super) fn command(args: &PredictArgs, around: &Surroundings) -> Result<Output, String> {
    let settled = settle(&args.judged)?;
    let fail_on = settled.config.fail_on.unwrap_or(Severity::Error);
    let outputs = outputs(args.format, &args.output)?;
    let linted = look(args, settled, around)?;
    let prediction = predict::predict(&linted.facts);
    let paper = Paper { colour: around.colour(args.color), columns: around.columns.map_or(COLUMNS, usize::from) };
    Ok(deliver_with(&outputs, |format, is_file| {
        let paper = if is_file { Paper::default() } else { paper };
        show(&linted, &prediction, format, fail_on, args.all, paper)
    }))
}

/// What members say, or what files of a repository do.
fn look(args: &PredictArgs, Settled { config, rules }: Settled, around: &Surroundings) -> Result<Linted, String> {
    let options = options(&args.asked)?;
    if !args.offline {
        let bundle = bundle(&args.asked, &args.bundle, options, &rules, around)?;
        return Ok(check(&Check { bundle, options, selection: config.selection, rules }));
    }
    let paths = if args.asked.members.is_empty() { vec![PathBuf::from(".")] } else { args.asked.members.clone() };
    let progress = around.progress();
    lint(&Lint { paths, options, scope: config.scope, selection: config.selection, rules, progress, ..Lint::default() })
}
