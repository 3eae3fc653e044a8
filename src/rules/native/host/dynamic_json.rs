//! `patroni.dynamic.json`: the dynamic configuration that an earlier Patroni has left in the data directory.

use serde_json::Value;

use crate::facts::gap::{Gap, GapReason};
use crate::facts::kept::kept;
use crate::facts::{DynamicFrom, Facts};
use crate::parse::patroni::{Item, ItemValue};
use crate::parse::yaml::Int;
use crate::rules::native::on_host::each;
use crate::rules::report::Report;

/// `stale-patroni-dynamic-json`: without `/config` in the store the file counts, and not `bootstrap.dcs`
/// (`config.py:Config._load_cache`, `__main__.py:Patroni.apply_dynamic_configuration`).
pub(in crate::rules::native) fn check(facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    each(facts, report, |on, report| {
        let Some((dir, data)) = on.data()? else { return Ok(()) };
        if on.names(data)?.is_none() {
            return Ok(());
        }
        let Some(text) = on.node.answer("patroni.dynamic.json", &data.dynamic)? else { return Ok(()) };
        // What is no JSON is passed over, with a message in the log.
        let Ok(Value::Object(left)) = serde_json::from_str(text) else { return Ok(()) };
        let _kept = kept(facts, on.member, on.node)?;
        if on.file.dynamic_from != DynamicFrom::Cache {
            return Ok(());
        }
        let wanted = on.file.written_dynamic.as_ref();
        // What a template fills in may say the same.
        let is_hidden = || !on.file.config.is_certain() || on.file.source.template().is_some();
        if wanted.map_or_else(is_hidden, |w| w.open) {
            return Err(Gap::new("`bootstrap.dcs`", GapReason::Unreadable).on(&on.node.name));
        }
        let mut differ = Vec::new();
        compare(&mut Vec::new(), wanted, &Value::Object(left), &mut differ);
        if differ.is_empty() {
            return Ok(());
        }
        let more = differ.len().saturating_sub(MOST);
        differ.truncate(MOST);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let mut problem = report
            .problem(on.data_at(dir.value, "dynamic"))
            .arg("member", on.member.name.as_str())
            .arg("file", format!("{}/patroni.dynamic.json", dir.value.trim_end_matches('/')))
            .arg("differ", format!("{}{more}", differ.join(", ")));
        if let Some(wanted) = wanted {
            problem = problem.label(wanted.key_or_value(), "does not count");
        }
        report.add(problem);
        Ok(())
    });
    Ok(())
}

/// How many keys are named.
const MOST: usize = 6;

/// The paths of the keys in which two configurations differ.
fn compare(path: &mut Vec<String>, wanted: Option<&Item>, left: &Value, differ: &mut Vec<String>) {
    let pairs = wanted.map_or(&[][..], Item::pairs);
    let Value::Object(map) = left else {
        if !wanted.is_some_and(|item| is_same(item, left)) {
            differ.push(path.join("."));
        }
        return;
    };
    if wanted.is_some_and(|item| !matches!(item.value, ItemValue::Map(_) | ItemValue::Null)) {
        differ.push(path.join("."));
        return;
    }
    let keyed = |key: &str| pairs.iter().find(|p| p.key.value.as_str() == Some(key)).map(|p| &p.item);
    for (key, value) in map {
        path.push(key.clone());
        compare(path, keyed(key), value, differ);
        path.pop();
    }
    for key in pairs.iter().filter_map(|p| p.key.value.as_str()).filter(|key| !map.contains_key(*key)) {
        path.push(key.to_owned());
        differ.push(path.join("."));
        path.pop();
    }
}

/// Whether a value of YAML and one of JSON are the same; of secrets that is not asked, they are not in what was collected.
fn is_same(item: &Item, value: &Value) -> bool {
    match (&item.value, value) {
        (ItemValue::Secret(..) | ItemValue::Unknown, _) | (ItemValue::Null, Value::Null) => true,
        (ItemValue::Bool(a), Value::Bool(b)) => a == b,
        (ItemValue::Int(Int::Small(a)), Value::Number(b)) => b.as_i64() == Some(*a),
        (ItemValue::Float(a), Value::Number(b)) => b.as_f64().is_some_and(|b| (a - b).abs() < f64::EPSILON),
        (ItemValue::Str(a), Value::String(b)) => **a == **b,
        (ItemValue::List(a), Value::Array(b)) => {
            a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| is_same(a, b) || (!a.pairs().is_empty() && b.is_object()))
        }
        _ => false,
    }
}
