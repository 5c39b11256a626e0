//! SIMILAR TO patterns as regular expressions.

use levada_language::error::{PlanError, PlanErrorKind};

/// The regular expression that matches what `SIMILAR TO pattern` does: all of the text, `%` being
/// any characters, `_` one, and `| * + ? { } ( ) [ ]` what they are in regular expressions.
///
/// # Errors
/// The pattern ends with its escape character, or its brackets are not closed.
pub(super) fn regex(pattern: &str, escape: Option<char>) -> Result<String, PlanError> {
    let mut regex = String::from("^(?s:");
    let mut rest = pattern.chars();
    let mut in_brackets = false;
    while let Some(c) = rest.next() {
        match c {
            c if Some(c) == escape => match rest.next() {
                Some(next) => push_literal(next, &mut regex),
                None => return Err(wrong("ends with its escape character")),
            },
            '[' if !in_brackets => {
                in_brackets = true;
                regex.push(c);
            }
            ']' if in_brackets => {
                in_brackets = false;
                regex.push(c);
            }
            '^' | '-' if in_brackets => regex.push(c),
            _ if in_brackets => push_literal(c, &mut regex),
            '%' => regex.push_str(".*"),
            '_' => regex.push('.'),
            '|' | '*' | '+' | '?' | '{' | '}' | '(' | ')' => regex.push(c),
            other => push_literal(other, &mut regex),
        }
    }
    if in_brackets {
        return Err(wrong("has a [ without its ]"));
    }
    regex.push_str(")$");
    Ok(regex)
}

fn push_literal(c: char, regex: &mut String) {
    if r"\.+*?()|[]{}^$#&-~".contains(c) {
        regex.push('\\');
    }
    regex.push(c);
}

fn wrong(what: &str) -> PlanError {
    PlanError::new(
        PlanErrorKind::Syntax,
        format!("the pattern of SIMILAR TO {what}"),
    )
}
