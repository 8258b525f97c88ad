//! Whether the schema is what the migrations make, index by index and check by check; a missing index is no error that
//! anybody would see, until a claim takes a second.

use super::finding::Finding;
use crate::store::{Departure, Difference, compare_schema};

/// As many differences are told one by one.
const TOLD: usize = 20;

/// Compares the schema of a database that says that it is up to date.
pub(super) async fn examine(url: &str) -> Vec<Finding> {
    match compare_schema(url).await {
        Ok(differences) => judge(differences),
        Err(error) => {
            vec![Finding::fail("definitions", error.to_string(), "who asks must be able to read the schema")]
        }
    }
}

fn judge(differences: Vec<Difference>) -> Vec<Finding> {
    let more = differences.len().saturating_sub(TOLD);
    let mut findings: Vec<_> = differences.into_iter().take(TOLD).map(told).collect();
    if more > 0 {
        findings.push(Finding::warn("definitions", format!("and {more} more that differ"), "see the first"));
    }
    if findings.is_empty() {
        findings.push(Finding::ok("definitions", "every table, column, index and check is as it was made"));
    }
    findings
}

fn told(Difference { object, departure }: Difference) -> Finding {
    match departure {
        Departure::Missing { expected } => {
            let seen = format!("the {object} is missing");
            Finding::fail("definitions", seen, again(&object, &expected))
        }
        Departure::Changed { expected, found } => {
            let seen = format!("the {object} is not as it was made: {found}");
            Finding::fail("definitions", seen, format!("it should be: {expected}"))
        }
        Departure::Unsound => {
            let name = object.strip_prefix("index ");
            let advice = name.map_or_else(
                || "it is there and switched off, or was never checked".to_owned(),
                |name| format!("REINDEX INDEX CONCURRENTLY flyball.{name}"),
            );
            Finding::fail("definitions", format!("the {object} is not valid, so it is not used"), advice)
        }
        Departure::Unknown { found } => {
            let seen = format!("the {object} is nothing that flyball made: {found}");
            Finding::warn("definitions", seen, "if nobody needs it, drop it: every write may pay for it")
        }
    }
}

/// What brings back what is missing.
fn again(object: &str, expected: &str) -> String {
    match object.split_once(' ') {
        Some(("index", _)) => format!("make it again: {expected}"),
        Some(("table", _)) => "restore it from a backup: its rows are lost".into(),
        Some((sort, _)) => format!("somebody dropped it; the {sort} should be: {expected}"),
        None => format!("it should be: {expected}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Health;

    #[test]
    fn what_is_wrong_with_the_schema_is_told_with_what_to_do() {
        let difference = |object: &str, departure| Difference { object: object.into(), departure };
        let index = "CREATE INDEX jobs_due ON flyball.jobs USING btree (scheduled_at)".to_owned();
        let findings = judge(vec![
            difference("index jobs_due", Departure::Missing { expected: index }),
            difference("index jobs_claim", Departure::Unsound),
            difference("index mine", Departure::Unknown { found: "CREATE INDEX mine".into() }),
        ]);
        let told = |finding: &Finding| (finding.health, finding.advice.clone().unwrap_or_default());
        let again = "make it again: CREATE INDEX jobs_due ON flyball.jobs USING btree (scheduled_at)";
        assert_eq!(told(&findings[0]), (Health::Fail, again.to_owned()));
        let reindex = "REINDEX INDEX CONCURRENTLY flyball.jobs_claim";
        assert_eq!(told(&findings[1]), (Health::Fail, reindex.to_owned()));
        assert_eq!(findings[2].health, Health::Warn);
        assert_eq!(judge(Vec::new())[0].health, Health::Ok);
    }
}
