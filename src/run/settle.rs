//! The configuration and the rules of a run.

use std::path::{Path, PathBuf};

use crate::cli::RulesArgs;
use crate::collect::{clock, own};
use crate::config::{self, Config};
use crate::rules::builtin::BUILTIN;
use crate::rules::load;
use crate::rules::schema::Rule;

/// What a run goes by.
#[derive(Debug)]
pub(super) struct Settled {
    /// Its configuration; the selection is that of the command line too.
    pub(super) config: Config,
    /// All rules, sorted by id; none when there are only the built-in ones.
    pub(super) rules: Vec<Rule>,
}

/// What the command line and the nearest configuration say.
pub(super) fn settle(args: &RulesArgs) -> Result<Settled, String> {
    let base = Path::new("");
    let file = args.config.clone().or_else(|| own::upwards(base, config::FILE_NAME));
    let draft = file.map(|f| read_config(base, &f)).transpose()?;
    let mut dirs = args.rules.clone();
    dirs.extend(draft.iter().flat_map(config::Draft::rule_dirs));
    let rules = organisation(&dirs)?;
    let all = if rules.is_empty() { BUILTIN } else { &rules };
    let mut config = draft.map_or_else(|| Ok(Config::default()), |draft| finish(draft, base, all))?;
    config.selection.trial = args.trial;
    config.selection.today = args.today.or_else(clock::today);
    Ok(Settled { config, rules })
}

/// The configuration of a run: of a file, or the nearest one above a directory, or none.
///
/// # Errors
/// What is wrong with it.
pub fn config_for(base: &Path, file: Option<&Path>, rules: &[Rule]) -> Result<Config, String> {
    let draft = file.map(|f| read_config(base, f)).transpose()?;
    draft.map_or_else(|| Ok(Config::default()), |draft| finish(draft, base, rules))
}

fn read_config(base: &Path, file: &Path) -> Result<config::Draft, String> {
    let text = own::text(&base.join(file)).map_err(|why| format!("{}: {why}", file.display()))?;
    config::read(file, &text)
}

fn finish(draft: config::Draft, base: &Path, rules: &[Rule]) -> Result<Config, String> {
    let root = own::root(base, draft.file());
    let exists = |path: &Path| own::exists(&root.dir.join(path));
    draft.finish(rules, &root, &exists)
}

/// The built-in rules and those of some directories; none when there are no directories.
pub(super) fn organisation(dirs: &[PathBuf]) -> Result<Vec<Rule>, String> {
    let mut texts = Vec::new();
    for dir in dirs {
        let files = own::yaml_files(dir)?;
        if files.is_empty() {
            return Err(format!("{}: there is no rule file in it", dir.display()));
        }
        texts.extend(config::rule_texts(files));
    }
    if texts.is_empty() { Ok(Vec::new()) } else { load::load(BUILTIN, &texts).map_err(|wrong| wrong.join("\n")) }
}
