//! That docs/functions.md, SHOW FUNCTIONS and the cases are about the same functions.

use std::collections::BTreeSet;

use super::*;

const PAGE: &str = include_str!("../../../../docs/functions.md");

/// The names in the first column of the page's tables, in small letters.
fn documented() -> BTreeSet<String> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| `"));
    let first = rows.filter_map(|line| line.trim_start_matches("| ").split(" | ").next());
    first
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(|signature| {
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let end = signature.find(|c| !word(c)).unwrap_or(signature.len());
            signature[..end].to_lowercase()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn the_page_of_functions_and_show_functions_agree() {
    let shown: BTreeSet<String> = levada_language::functions::names()
        .into_iter()
        .map(str::to_string)
        .collect();
    let documented = documented();
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| -> Vec<String> {
        a.difference(b).cloned().collect()
    };
    assert_eq!(
        only(&shown, &documented),
        Vec::<String>::new(),
        "not on the page"
    );
    assert_eq!(only(&documented, &shown), Vec::<String>::new(), "not shown");
}

#[test]
fn every_function_has_a_case() {
    let expressions = cases::expressions().to_uppercase();
    let missing: Vec<&str> = levada_language::functions::names()
        .into_iter()
        .filter(|name| {
            let name = name.to_uppercase();
            let mut places = expressions.match_indices(&name);
            !places.any(|(at, _)| {
                let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let before = expressions[..at].chars().next_back();
                let behind = expressions[at + name.len()..].chars().next();
                !before.is_some_and(word) && !behind.is_some_and(word)
            })
        })
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}
