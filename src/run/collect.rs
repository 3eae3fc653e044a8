//! `collect`: asks members and writes down what they have answered.

use super::check::{collected, options};
use super::{Output, said};
use crate::bundle::{Answer, Bundle};
use crate::cli::CollectArgs;
use crate::output;
use crate::terminal::Surroundings;

pub(super) fn command(args: &CollectArgs, around: &Surroundings) -> Result<Output, String> {
    let bundle = collected(&args.asked, options(&args.asked)?, &[], around.progress())?;
    let text = serde_json::to_string_pretty(&bundle).map_err(|e| format!("a fault of this program: {e}"))? + "\n";
    let missing = missing(&bundle);
    let code = if missing.is_empty() { 0 } else { 3 };
    let told: String = missing.iter().flat_map(|line| ["not collected: ", line, "\n"]).collect();
    let Some(file) = &args.output else {
        return Ok(Output { stdout: text, stderr: told, code });
    };
    output::write(file, &text)?;
    let members: Vec<&str> = bundle.nodes.keys().map(String::as_str).collect();
    let last = format!("{}: {} and {} stores\n", file.display(), members.join(", "), bundle.stores.len());
    Ok(Output { stderr: told, code, ..said(last) })
}

/// The parts of members that could not be had at all.
fn missing(bundle: &Bundle) -> Vec<String> {
    let mut all = Vec::new();
    for (name, node) in &bundle.nodes {
        if let Some(Answer::Missing(miss)) = &node.sql {
            all.push(format!("the server of {name}: {}", miss.detail));
        }
        if let Some(Answer::Missing(miss)) = &node.host {
            all.push(format!("the host of {name}: {}", miss.detail));
        }
    }
    for store in &bundle.stores {
        for (path, scope) in &store.scopes {
            if let Answer::Missing(miss) = scope {
                all.push(format!("what {} keeps below {path}: {}", store.kind, miss.detail));
            }
        }
    }
    all
}
