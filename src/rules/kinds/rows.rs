//! `rows`: a query whose every row is a finding.

use crate::facts::Facts;
use crate::facts::gap::Gap;
use crate::rules::report::Report;
use crate::rules::schema::RowsSpec;

/// Reports the rows that nodes have answered. A node that was asked and has not answered is a gap; without any node the
/// question was not asked.
///
/// # Errors
/// Never: gaps are noted node by node.
pub fn check(rule: &str, spec: &RowsSpec, facts: &Facts, report: &mut Report) -> Result<(), Gap> {
    for node in facts.nodes() {
        let Some(rows) = report.known(node.rows(rule)) else { continue };
        for row in rows {
            let mut problem = report.problem(row.at).arg("node", node.name.as_str());
            for (column, value) in &row.columns {
                problem = problem.arg(column.clone(), value.as_str());
            }
            debug_assert!(row.columns.contains_key(&*spec.key), "the rows of {rule} have no column {}", spec.key);
            report.add(problem);
        }
    }
    Ok(())
}
