//! DataFusion's sentences that say too little, too much, or what only its developers know.

use crate::error::{PlanError, PlanErrorKind};
use PlanErrorKind::{Evaluation, InvalidStatement, TypeMismatch, Unsupported};

/// The same error in our words, with what to do; `None` if the sentence does as it is.
pub(super) fn reword(text: &str) -> Option<PlanError> {
    const ALL: &[fn(&str) -> Option<PlanError>] = &[
        grouping, nested, columns, union, operands, conditions, casts, limits, parameters,
        coercions,
    ];
    ALL.iter().find_map(|reword| reword(text))
}

/// The text up to where it prints a value of the program.
pub(super) fn without_dump(text: &str) -> String {
    let Some((before, _)) = text.split_once(" { ") else {
        return text.to_string();
    };
    match before.rsplit_once(' ') {
        Some((said, _)) => said.trim_end_matches([':', ',']).to_string(),
        None => text.to_string(),
    }
}

fn error(kind: PlanErrorKind, message: String, hint: &str) -> Option<PlanError> {
    Some(PlanError::new(kind, message).hint(hint))
}

/// What stands between two parts of the text.
fn between<'a>(text: &'a str, before: &str, behind: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(behind).map(|(found, _)| found)
}

/// The part of the text behind another.
fn behind<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    text.split_once(before).map(|(_, rest)| rest)
}

fn grouping(text: &str) -> Option<PlanError> {
    let clause = between(text, "Column in ", " must be in GROUP BY")?;
    let column = between(text, "column \"", "\" must appear")?;
    error(
        InvalidStatement,
        format!("{column} in {clause} is neither in GROUP BY nor within an aggregate"),
        &format!(
            "add it to GROUP BY, or say which value of a group is meant, such as MAX({column})"
        ),
    )
}

fn nested(text: &str) -> Option<PlanError> {
    let (inner, outer) = behind(text, "Aggregate function calls cannot be nested: '")?
        .split_once("' is nested inside '")?;
    let outer = outer.trim_end_matches('\'');
    error(
        InvalidStatement,
        format!("an aggregate cannot stand within another, as {inner} does in {outer}"),
        "aggregate in a subquery first: SELECT MAX(s) FROM (SELECT SUM(x) AS s FROM t GROUP BY k)",
    )
}

fn columns(text: &str) -> Option<PlanError> {
    if let Some(found) = behind(text, "The subquery should only return one column: ") {
        return error(
            InvalidStatement,
            format!("the subquery has several columns, {found}, and one is needed here"),
            "select the one that is compared",
        );
    }
    if let Some(rest) = behind(text, "Inconsistent data length across values list: got ") {
        let (found, rest) = rest.split_once(" values in row ")?;
        let (row, wanted) = rest.split_once(" but expected ")?;
        let row: usize = row.parse().ok()?;
        return error(
            InvalidStatement,
            format!(
                "row {} of VALUES has {found} values, and the first has {wanted}",
                row + 1
            ),
            "give every row as many values; NULL stands for one that is missing",
        );
    }
    None
}

fn union(text: &str) -> Option<PlanError> {
    if text.contains("queries have different number of columns") {
        let what = text.split(' ').next()?;
        return error(
            InvalidStatement,
            format!("the queries of {what} have different numbers of columns"),
            "select as many columns on both sides; CAST(NULL AS type) stands for one that is missing",
        );
    }
    let left = between(text, "Previous inputs were of type ", ", but got")?;
    let right = between(text, "got incompatible type ", " on column")?;
    let column = between(text, "on column '", "'")?;
    error(
        TypeMismatch,
        format!("UNION cannot put {left} and {right} into one column ({column})"),
        "use CAST on one side",
    )
}

fn operands(text: &str) -> Option<PlanError> {
    if let Some(operation) = behind(text, "argument type for comparison operation ") {
        return error(
            TypeMismatch,
            format!("{operation} cannot be compared"),
            "use CAST to bring both sides to one type",
        );
    }
    if let Some(operation) = behind(text, "argument type for logical boolean operation ") {
        return error(
            TypeMismatch,
            format!("AND and OR join conditions, and are given {operation}"),
            "write a condition on both sides, such as a > 1 AND b = 'x'",
        );
    }
    if let Some(operation) = between(
        text,
        "Cannot coerce arithmetic expression ",
        " to valid types",
    ) {
        let hint = if operation.contains("STRING") && operation.contains(" + ") {
            "texts are joined by ||; CAST(… AS INT) makes a number of a text"
        } else if operation.contains("TIMESTAMP") || operation.contains("DATE") {
            "add or take away an interval, such as INTERVAL '5' SECOND"
        } else {
            "use CAST to make numbers of both sides"
        };
        return error(
            TypeMismatch,
            format!("{operation} cannot be computed"),
            hint,
        );
    }
    let types = between(text, "common type to coerce ", " in LIKE expression")?;
    error(
        TypeMismatch,
        format!("LIKE compares texts, and is given {types}"),
        "use CAST(… AS STRING)",
    )
}

fn conditions(text: &str) -> Option<PlanError> {
    if let Some(rest) = behind(text, "Cannot create filter with non-boolean predicate '") {
        let (predicate, found) = rest.split_once("' returning ")?;
        return error(
            TypeMismatch,
            format!("a condition is needed, and {predicate} is {found}"),
            "compare it with something, such as x > 0 or x IS NOT NULL",
        );
    }
    let found = behind(
        text,
        "Unary operator 'NOT' requires a boolean expression, got ",
    )?;
    error(
        TypeMismatch,
        format!("NOT needs a condition, and is given {found}"),
        "compare it with something, such as NOT x = 1",
    )
}

fn casts(text: &str) -> Option<PlanError> {
    if let Some(rest) = behind(text, "Unsupported CAST from ") {
        let (from, to) = rest.split_once(" to ")?;
        return error(
            TypeMismatch,
            format!("{from} cannot be cast to {to}"),
            "cast to another type first, or compute the value, such as x IS NOT NULL or x > 0",
        );
    }
    if let Some(rest) = behind(text, "Cannot cast string ") {
        let (value, to) = rest.split_once(" to value of ")?;
        let to = to.split(" type").next()?;
        return error(
            Evaluation,
            format!("{value} is no {to}"),
            "write a value of that type; TRY_CAST gives NULL where a text is none",
        );
    }
    let value = between(text, "Error parsing timestamp from ", ": ")?;
    error(
        Evaluation,
        format!("{value} is no timestamp"),
        "write it as in TIMESTAMP '2026-01-31 12:00:00'",
    )
}

fn limits(text: &str) -> Option<PlanError> {
    if let Some(found) = between(text, "LIMIT must be >= 0, '", "' was provided") {
        return error(
            InvalidStatement,
            format!("LIMIT {found} is below zero"),
            "give a number of rows, or leave LIMIT out",
        );
    }
    let found = behind(text, "Expected LIMIT to be an integer or null, but got ")?;
    error(
        TypeMismatch,
        format!("LIMIT needs a whole number, and is given {found}"),
        "write it without quotes, as in LIMIT 10",
    )
}

fn parameters(text: &str) -> Option<PlanError> {
    let name = between(text, "Placeholder '", "' was not provided a value")?;
    error(
        Unsupported,
        format!("the parameter {name} has no value"),
        "parameters and variables are not supported: write the value itself",
    )
}

/// What a function says itself about its arguments, without who passed it on.
fn coercions(text: &str) -> Option<PlanError> {
    if let Some(said) = behind(text, "user-defined coercion failed with: External error: ") {
        let (_, message) = said.split_once(": ")?;
        let message = message.split(". No function").next()?;
        return Some(PlanError::new(TypeMismatch, message));
    }
    if let Some((name, _)) = text.split_once("' does not support zero arguments") {
        let name = name.rsplit('\'').next()?.to_uppercase();
        return Some(PlanError::new(
            TypeMismatch,
            format!("{name} needs an argument"),
        ));
    }
    if text.starts_with("Substring without") {
        return error(
            TypeMismatch,
            "SUBSTRING needs a position to begin at".to_string(),
            "write SUBSTRING(x FROM 2 FOR 3) or SUBSTRING(x, 2, 3)",
        );
    }
    if !text.contains("Fail to find the coerced type") {
        return None;
    }
    let name = text.split("' user-defined").next()?.rsplit('\'').next()?;
    error(
        TypeMismatch,
        format!(
            "{} is given arguments whose types do not go together",
            name.to_uppercase()
        ),
        "use CAST to bring them to one type",
    )
}
