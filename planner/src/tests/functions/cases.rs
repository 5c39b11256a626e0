//! The table of cases: an expression, its value and its type in a line of a file.
//!
//! A line is `expression | value | type`, or `expression | !error | words of the error`. A value
//! in double quotes is what stands between them. `## words` heads a section, `@zone name` sets the
//! session's time zone for the rest of it, and `-- words` is a comment.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::*;

const FILES: &[(&str, &str)] = &[
    ("strings.txt", include_str!("cases/strings.txt")),
    ("patterns.txt", include_str!("cases/patterns.txt")),
    ("numbers.txt", include_str!("cases/numbers.txt")),
    ("decimals.txt", include_str!("cases/decimals.txt")),
    ("casts.txt", include_str!("cases/casts.txt")),
    ("logic.txt", include_str!("cases/logic.txt")),
    ("json.txt", include_str!("cases/json.txt")),
    ("collections.txt", include_str!("cases/collections.txt")),
    ("temporal.txt", include_str!("cases/temporal.txt")),
    ("zones.txt", include_str!("cases/zones.txt")),
];

struct Case {
    place: String,
    zone: Option<&'static str>,
    expression: &'static str,
    value: &'static str,
    sql_type: &'static str,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (file, text) in FILES {
        let mut zone = None;
        for (number, line) in text.lines().enumerate() {
            let place = format!("{file}:{}", number + 1);
            if line.starts_with("## ") {
                zone = None;
            } else if let Some(name) = line.strip_prefix("@zone ") {
                zone = Some(name);
            } else if !line.is_empty() && !line.starts_with("--") {
                let mut parts = line.rsplitn(3, " | ");
                let (sql_type, value) = (parts.next().unwrap(), parts.next());
                let (Some(value), Some(expression)) = (value, parts.next()) else {
                    panic!("{place}: not expression | value | type: {line}");
                };
                cases.push(Case {
                    place,
                    zone,
                    expression,
                    value,
                    sql_type,
                });
            }
        }
    }
    cases
}

/// The expressions of all cases, one a line.
pub(super) fn expressions() -> String {
    let expressions: Vec<&str> = cases().iter().map(|case| case.expression).collect();
    expressions.join("\n")
}

/// What is wrong with a case; `None` if nothing is.
async fn failure(context: &SessionContext, case: &Case) -> Option<String> {
    let sql = format!("SELECT {} AS x", case.expression);
    match (run_in(context, &sql).await, case.value) {
        (Err(error), "!error") => {
            let shown = error.render(&sql);
            (!shown.contains(case.sql_type)).then_some(shown)
        }
        (Err(error), _) => Some(error.render(&sql)),
        (Ok((values, data_type)), value) => {
            let wanted = value
                .strip_prefix('"')
                .and_then(|inner| inner.strip_suffix('"'))
                .unwrap_or(value);
            let shown = SqlType::from_arrow(&data_type).to_string();
            let same = values == [wanted] && shown == case.sql_type;
            (!same).then(|| format!("is {} | {shown}", values.join(", ")))
        }
    }
}

#[test]
fn every_case_has_its_value_and_type() {
    let cases = cases();
    assert!(cases.len() >= 600, "{} cases", cases.len());
    let mut contexts: HashMap<Option<&str>, SessionContext> = HashMap::new();
    let mut report = String::new();
    let mut wrong = 0;
    for case in &cases {
        let context = contexts
            .entry(case.zone)
            .or_insert_with(|| session(case.zone));
        if let Some(failure) = block(failure(context, case)) {
            wrong += 1;
            writeln!(report, "{}: {}\n    {failure}", case.place, case.expression).unwrap();
        }
    }
    assert!(wrong == 0, "{report}{wrong} of {} cases fail", cases.len());
}
