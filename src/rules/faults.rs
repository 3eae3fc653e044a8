//! What is wrong with a rule file by itself. The build script reads the same.

use super::bounds;
use super::schema::{Rule, Safety, StepSpec, Text};

/// The names between braces in a text, in order; `{{` stands for a brace. A brace that nothing closes names all that follows.
#[must_use]
pub fn placeholders(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        rest = &rest[open + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            rest = after;
        } else {
            let (name, after) = rest.split_once('}').unwrap_or((rest, ""));
            found.push(name);
            rest = after;
        }
    }
    found
}

/// Something wrong with a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where: keys with dots between them.
    pub key: String,
    /// What.
    pub what: String,
}

impl Fault {
    /// Something wrong at a key.
    #[must_use]
    pub fn new(key: impl Into<String>, what: impl Into<String>) -> Self {
        Self { key: key.into(), what: what.into() }
    }
}

impl Rule {
    /// What is wrong with the rule itself, whatever its check does.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut wrong = |key: &str, what: String| faults.push(Fault::new(key, what));
        let kebab =
            |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !self.id.split('/').all(kebab) {
            wrong("id", format!("id `{}` is not kebab-case", self.id));
        }
        for (name, text) in [("summary", &self.summary), ("message", &self.message)] {
            if text.is_empty() || text.contains('\n') || text.ends_with('.') {
                wrong(name, format!("{name} must be one line without a period at its end"));
            }
        }
        if self.why.trim().is_empty() {
            wrong("why", "why is empty".to_owned());
        }
        for reference in self.references.iter().filter(|r| !r.starts_with("https://")) {
            wrong("references", format!("reference `{reference}` is not https"));
        }
        for (name, range) in [("patroni", &self.patroni), ("postgresql", &self.postgresql)] {
            if let Err(what) = bounds::parse(range) {
                wrong(name, what);
            }
        }
        match (&self.fix, self.no_fix.is_empty()) {
            (Some(_), false) => wrong("no-fix", "both fix and no-fix".to_owned()),
            (None, true) => wrong("", "neither fix nor no-fix".to_owned()),
            (Some(fix), true) if fix.safety != Safety::Safe && fix.because.is_empty() => {
                wrong("fix", "a fix that is not safe needs because".to_owned());
            }
            (Some(fix), true) if fix.steps.is_empty() => wrong("fix.steps", "a fix without steps".to_owned()),
            (Some(_), true) | (None, false) => {}
        }
        if let Some(known) = self.check.placeholders() {
            faults.extend(self.unfilled(known));
        }
        faults
    }

    /// Placeholders in its texts that are none of these.
    #[must_use]
    pub fn unfilled(&self, known: &[&str]) -> Vec<Fault> {
        let mut texts: Vec<(&str, &Text)> =
            vec![("message", &self.message), ("why", &self.why), ("no-fix", &self.no_fix)];
        if let Some(fix) = &self.fix {
            texts.extend([("fix.title", &fix.title), ("fix.because", &fix.because)]);
            for step in fix.steps.iter() {
                match step {
                    StepSpec::SetDynamic { key, value } => texts.extend([("fix.steps", key), ("fix.steps", value)]),
                    StepSpec::Sql(t) | StepSpec::Command(t) | StepSpec::Human(t) => texts.push(("fix.steps", t)),
                    StepSpec::Edit(_) | StepSpec::Reload(_) | StepSpec::Restart(_) => {}
                }
            }
        }
        let mut faults = Vec::new();
        for (key, text) in texts {
            for name in placeholders(text).into_iter().filter(|name| !known.contains(name)) {
                let all = known.iter().map(|k| format!("`{{{k}}}`")).collect::<Vec<_>>().join(", ");
                let what = format!(
                    "`{{{name}}}` is no placeholder of this kind; it has {all}; a plain brace is written `{{{{`"
                );
                faults.push(Fault::new(key, what));
            }
        }
        faults
    }
}
