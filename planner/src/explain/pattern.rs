//! A pattern as text.

use arrow::datatypes::Schema;
use levada_engine::graph::{ALL_VARIABLES, Reference, Skip};

use crate::logical::shown_pattern;
use crate::streaming::{PatternMatch, duration, text as sql};

/// The line of a pattern over rows with the columns of `below`.
pub(super) fn pattern_line(pattern: &PatternMatch, below: &Schema) -> String {
    let names: Vec<&str> = pattern.variables.iter().map(|v| v.name.as_str()).collect();
    let column = |at: usize| below.field(at).name().clone();
    let keys: Vec<String> = pattern.partition_by.iter().map(|at| column(*at)).collect();
    let order = pattern.order_by.iter().map(|order| {
        let direction = if order.descending { " DESC" } else { "" };
        format!("{}{direction}", column(order.column))
    });
    let order: Vec<String> = order.collect();
    let value = |value: &Reference| shown_value(*value, &names, below);
    let measures: Vec<String> = pattern.measures.iter().map(value).collect();
    let defined = pattern.variables.iter().filter_map(|variable| {
        let condition = variable.condition.as_ref()?;
        let values: Vec<String> = condition.values.iter().map(value).collect();
        let condition = with_values(&sql(&condition.expr), &values);
        Some(format!("{} AS {condition}", variable.name))
    });
    let defined: Vec<String> = defined.collect();
    let mut line = format!(
        "Match(partition=[{}], order=[{}], pattern=[{}]",
        keys.join(", "),
        match order.is_empty() {
            true => "arrival".to_string(),
            false => order.join(", "),
        },
        shown_pattern(&pattern.pattern, &names, false)
    );
    if let Some(within) = pattern.within_ms {
        line.push_str(&format!(", within=[{}]", duration(within.unsigned_abs())));
    }
    if !defined.is_empty() {
        line.push_str(&format!(", define=[{}]", defined.join(", ")));
    }
    if !measures.is_empty() {
        line.push_str(&format!(", measures=[{}]", measures.join(", ")));
    }
    let rows = if pattern.all_rows { "all" } else { "one" };
    line.push_str(&format!(
        ", rows=[{rows}], skip=[{}])",
        skip(pattern.skip, &names)
    ));
    line
}

/// An expression with what its columns stand for in their place.
fn with_values(expr: &str, values: &[String]) -> String {
    let mut shown = expr.to_string();
    // The last ones first: the name of one may begin that of another.
    for (at, value) in values.iter().enumerate().rev() {
        let name = format!("__pattern_condition_{at}");
        shown = shown
            .replace(&format!("`{name}`"), value)
            .replace(&name, value);
    }
    shown
}

fn set(variables: u64, names: &[&str]) -> String {
    let own = names.iter().enumerate();
    let own = own.filter(|(at, _)| variables >> at & 1 == 1);
    let own: Vec<&str> = own.map(|(_, name)| *name).collect();
    match own.as_slice() {
        [only] => (*only).to_string(),
        some => format!("({})", some.join(", ")),
    }
}

fn of_set(variables: u64, names: &[&str], column: &str) -> String {
    match variables {
        ALL_VARIABLES => column.to_string(),
        some => format!("{}.{column}", set(some, names)),
    }
}

fn shown_value(value: Reference, names: &[&str], below: &Schema) -> String {
    match value {
        Reference::Row {
            column,
            variables,
            first,
            offset,
            shift,
            running,
        } => {
            let way = if first { "FIRST" } else { "LAST" };
            let column = of_set(variables, names, below.field(column).name());
            let mut shown = match offset {
                0 => format!("{way}({column})"),
                offset => format!("{way}({column}, {offset})"),
            };
            if shift != 0 {
                let way = if shift < 0 { "PREV" } else { "NEXT" };
                shown = format!("{way}({shown}, {})", shift.abs());
            }
            if running {
                format!("RUNNING {shown}")
            } else {
                shown
            }
        }
        Reference::Aggregate {
            function,
            column,
            distinct,
            variables,
            running,
        } => {
            let column = column.map_or("*", |column| below.field(column).name());
            let distinct = if distinct { "DISTINCT " } else { "" };
            let name = format!("{function:?}").to_uppercase();
            let shown = format!("{name}({distinct}{})", of_set(variables, names, column));
            if running {
                format!("RUNNING {shown}")
            } else {
                shown
            }
        }
        Reference::Classifier => "CLASSIFIER()".to_string(),
        Reference::MatchNumber => "MATCH_NUMBER()".to_string(),
    }
}

fn skip(skip: Skip, names: &[&str]) -> String {
    match skip {
        Skip::PastLastRow => "past last row".to_string(),
        Skip::ToNextRow => "to next row".to_string(),
        Skip::ToFirst(variables) => format!("to first {}", set(variables, names)),
        Skip::ToLast(variables) => format!("to last {}", set(variables, names)),
    }
}
