//! What was found, with the texts that it points at, and what was not checked.

use std::collections::BTreeSet;

use super::super::{Page, full, overview, place, plural};
use super::element::{Element, cell, row, scroll, sentence, table};
use super::{badge, class_of};
use crate::finding::{Finding, Fix};
use crate::rules::schema::Safety;

/// All findings, the worst first.
pub(super) fn section(page: &Page<'_>) -> Element {
    let findings = page.worst_first();
    let mut part = super::section("findings", "Findings");
    if findings.is_empty() {
        part.add(Element::new("p").text("Nothing was found."));
    }
    part.add_all(in_short(page, &findings));
    let mut explained = BTreeSet::new();
    for (i, finding) in findings.iter().enumerate() {
        let first = explained.insert(finding.rule.clone());
        part.add(article(page, finding, i + 1, first));
    }
    for broken in &page.outcome.broken {
        let message =
            format!("Fault of this program in rule {}: {}", broken.rule, page.redactor.everywhere(&broken.message));
        part.add(Element::new("p").with("class", "verdict bad").text(&message));
    }
    part
}

/// A table of the rules, where there are enough findings.
fn in_short(page: &Page<'_>, findings: &[&Finding]) -> Option<Element> {
    if findings.len() < overview::FEW {
        return None;
    }
    let mut body = Element::new("tbody");
    for group in overview::groups(page) {
        let Some(first) = findings.iter().position(|f| f.rule == *group.rule) else { continue };
        let link = Element::new("a").with("href", &format!("#finding-{}", first + 1)).text(group.rule);
        let class = class_of(group.severity);
        let head =
            Element::new("th").with("scope", "row").with("role", "rowheader").with("data-label", "Rule").child(link);
        body.add(
            row(class, &[])
                .child(head)
                .child(cell("Severity").child(badge(class, group.severity.word())))
                .child(cell("Findings").text(&group.findings.len().to_string())),
        );
    }
    let table = table("In short, the worst first", &["Rule", "Severity", "Findings"]).with("class", "compact");
    Some(scroll(table.child(body)))
}

fn article(page: &Page<'_>, finding: &Finding, number: usize, first: bool) -> Element {
    let about = finding.sources();
    let words = |text: &str| page.redactor.words(&about, text);
    let class = class_of(finding.severity);
    let title = format!("finding-{number}");
    let heading = Element::new("h3").with("id", &title).child(badge(class, finding.severity.word())).text(" ");
    let mut article = Element::new("article")
        .with("class", &format!("finding {class}"))
        .with("aria-labelledby", &title)
        .child(sentence(heading, &page.message(finding)));
    let source = page.sources.get(finding.at.source);
    let line = place::range(&source, finding.at).line;
    let place = Element::new("code").text(&format!("{}:{line}", page.name(&source)));
    article.add(
        Element::new("p").with("class", "faint").text("Rule ").child(rule(page, finding)).text(", at ").child(place),
    );
    let at = format!("The place, {}", page.name(&source));
    article.add(
        Element::new("pre")
            .with("tabindex", "0")
            .with("role", "group")
            .with("aria-label", &at)
            .text(&full::places(page, finding)),
    );
    for (i, note) in finding.notes.iter().enumerate() {
        if i > 0 || first {
            article.add(sentence(Element::new("p"), &words(note)));
        }
    }
    match &finding.fix {
        Ok(found) => article.add_all(fix(page, finding, found)),
        Err(reason) => {
            let label = Element::new("p").child(Element::new("strong").text("No ready fix: "));
            article.add(sentence(label, &words(reason)));
        }
    }
    article
}

/// The name of a rule, with a link to what explains it.
fn rule(page: &Page<'_>, finding: &Finding) -> Element {
    let url = page.rule(&finding.rule).and_then(|r| r.references.first()).filter(|url| url.starts_with("https://"));
    match url {
        Some(url) => Element::new("a").with("href", url).with("rel", "noreferrer").text(&finding.rule),
        None => Element::new("code").text(&finding.rule),
    }
}

fn fix(page: &Page<'_>, finding: &Finding, fix: &Fix) -> Vec<Element> {
    let about = finding.sources();
    let words = |text: &str| page.redactor.words(&about, text);
    let how = match fix.safety {
        Safety::Unsafe | Safety::Manual if !fix.because.is_empty() => format!(" ({})", fix.because),
        _ => String::new(),
    };
    let label = Element::new("p").child(Element::new("strong").text("Fix: "));
    let mut all = vec![sentence(label, &words(&format!("{}{how}", fix.title)))];
    let steps = full::steps(page, fix);
    if !steps.is_empty() {
        all.push(Element::new("pre").with("class", "fix").text(&words(&steps.join("\n"))));
    }
    all
}

/// What was not checked, each cause once.
pub(super) fn not_checked(page: &Page<'_>) -> Option<Element> {
    let causes = page.not_checked();
    if causes.is_empty() {
        return None;
    }
    let mut list = Element::new("ul");
    for gap in causes {
        let rules = gap.rules.len();
        let item = Element::new("li").text(&format!("Because {}: ", page.redactor.everywhere(&gap.cause)));
        let names = Element::new("span").with("class", "faint").text(&format!(
            "{rules} {}, {}",
            plural(rules, "rule"),
            gap.rules.join(", ")
        ));
        list.add(item.child(names));
    }
    Some(super::section("not-checked", "Not checked").child(list))
}
