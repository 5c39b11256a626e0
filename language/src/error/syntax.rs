//! sqlparser's errors, told in this dialect's words, with their position recovered.

use sqlparser::parser::ParserError;

use super::{Location, PlanError, PlanErrorKind};

impl From<ParserError> for PlanError {
    fn from(error: ParserError) -> Self {
        match error {
            ParserError::RecursionLimitExceeded => {
                PlanError::new(PlanErrorKind::Syntax, "the statement is nested too deeply")
                    .hint("split it with views or common table expressions")
            }
            ParserError::TokenizerError(text) | ParserError::ParserError(text) => {
                let (message, location) = split_location(&text);
                from_message(message).at(location)
            }
        }
    }
}

fn from_message(message: &str) -> PlanError {
    let invalid_type = [
        " is not a type",
        "precision ",
        "DECIMAL(",
        "length ",
        "TIMESTAMP WITH TIME ZONE",
    ];
    if invalid_type.iter().any(|part| message.contains(part)) && !message.starts_with("Expected") {
        return match message.split_once("; ") {
            Some((message, hint)) => PlanError::new(PlanErrorKind::InvalidType, message).hint(hint),
            None => PlanError::new(PlanErrorKind::InvalidType, message),
        };
    }
    let Some((wanted, found)) = message
        .strip_prefix("Expected")
        .map(|rest| rest.trim_start_matches(':').trim_start())
        .and_then(|rest| rest.rsplit_once(", found: "))
    else {
        return PlanError::new(PlanErrorKind::Syntax, message);
    };
    let found = match found {
        "EOF" => "the end of the text",
        ";" => "the end of the statement",
        other => other,
    };
    PlanError::new(
        PlanErrorKind::Syntax,
        format!("expected {wanted}, found {found}"),
    )
}

/// Splits " at Line: 3, Column: 7" off the end.
fn split_location(text: &str) -> (&str, Option<Location>) {
    let Some((message, position)) = text.rsplit_once(" at Line: ") else {
        return (text, None);
    };
    let location = position
        .split_once(", Column: ")
        .and_then(|(line, column)| {
            Some(Location {
                line: line.trim().parse().ok()?,
                column: column.trim().parse().ok()?,
            })
        });
    match location {
        Some(_) => (message, location),
        None => (text, None),
    }
}
