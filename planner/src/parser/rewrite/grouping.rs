//! GROUPING SETS, ROLLUP and CUBE as lists of sets.

use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::expression_location;
use levada_language::error::PlanError;

/// More parts of a CUBE are left to DataFusion's planner, which has a limit.
const CUBE_PARTS: usize = 12;

/// The sets of a ROLLUP or CUBE of which parts have several columns, in parentheses, or come again; DataFusion's planner
/// knows those of single columns.
pub(super) fn written_out(expr: &Expr) -> Option<Vec<Vec<Expr>>> {
    let several = |parts: &[Vec<Expr>]| parts.iter().any(|part| part.len() != 1);
    let again = |parts: &[Vec<Expr>]| {
        let mut parts = parts.iter().enumerate();
        let before = parts.clone();
        parts.any(|(n, part)| before.clone().take(n).any(|(_, other)| other == part))
    };
    let written = |parts: &[Vec<Expr>]| several(parts) || again(parts);
    let mut sets: Vec<Vec<Expr>> = match expr {
        Expr::Rollup(parts) if written(parts) => rollup(parts),
        Expr::Cube(parts) if written(parts) && parts.len() <= CUBE_PARTS => cube(parts),
        _ => return None,
    };
    sets.iter_mut().for_each(each_once);
    Some(sets)
}

/// What a set has twice it groups by once.
fn each_once(set: &mut Vec<Expr>) {
    let mut once: Vec<Expr> = Vec::new();
    for part in set.drain(..) {
        if !once.contains(&part) {
            once.push(part);
        }
    }
    *set = once;
}

/// Each choice of parts.
fn cube(parts: &[Vec<Expr>]) -> Vec<Vec<Expr>> {
    parts.iter().rev().fold(vec![Vec::new()], |sets, part| {
        let with_part = |set: &Vec<Expr>| part.iter().chain(set).cloned().collect();
        let with: Vec<Vec<Expr>> = sets.iter().map(with_part).collect();
        with.into_iter().chain(sets).collect()
    })
}

/// The sets of GROUPING SETS, where a ROLLUP or CUBE among them stands for its own. The parser takes these for calls.
pub(super) fn flat(sets: &[Vec<Expr>]) -> Result<Vec<Vec<Expr>>, PlanError> {
    let mut flat = Vec::new();
    for set in sets {
        match set.as_slice() {
            [nested] if Nested::of(nested).is_some() => flat.extend(within(nested)?),
            columns => {
                columns.iter().try_for_each(is_column)?;
                flat.push(columns.to_vec());
            }
        }
    }
    flat.iter_mut().for_each(each_once);
    Ok(flat)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Nested {
    Rollup,
    Cube,
}

impl Nested {
    fn of(expr: &Expr) -> Option<Self> {
        let Expr::Function(function) = expr else {
            return None;
        };
        match function.name.to_string().to_ascii_uppercase().as_str() {
            "ROLLUP" => Some(Nested::Rollup),
            "CUBE" => Some(Nested::Cube),
            _ => None,
        }
    }
}

/// The sets of a ROLLUP or CUBE that is one of several.
fn within(nested: &Expr) -> Result<Vec<Vec<Expr>>, PlanError> {
    let refused = || {
        PlanError::unsupported("this within GROUPING SETS", expression_location(nested))
            .hint("write its sets out: ROLLUP (a, b) is (a, b), (a), ()")
    };
    let (Expr::Function(function), Some(kind)) = (nested, Nested::of(nested)) else {
        return Err(refused());
    };
    let FunctionArguments::List(list) = &function.args else {
        return Err(refused());
    };
    let mut parts = Vec::new();
    for arg in &list.args {
        let FunctionArg::Unnamed(FunctionArgExpr::Expr(part)) = arg else {
            return Err(refused());
        };
        let part = match part {
            Expr::Tuple(columns) => columns.clone(),
            Expr::Nested(column) => vec![column.as_ref().clone()],
            column => vec![column.clone()],
        };
        part.iter().try_for_each(is_column)?;
        parts.push(part);
    }
    match kind {
        Nested::Rollup => Ok(rollup(&parts)),
        Nested::Cube if parts.len() <= CUBE_PARTS => Ok(cube(&parts)),
        Nested::Cube => Err(refused()),
    }
}

/// Refuses ROLLUP and CUBE where a column is to be.
fn is_column(expr: &Expr) -> Result<(), PlanError> {
    match Nested::of(expr) {
        None => Ok(()),
        Some(_) => Err(PlanError::unsupported(
            "ROLLUP or CUBE beside columns of one set",
            expression_location(expr),
        )
        .hint("it can be a set by itself: GROUPING SETS (a, ROLLUP (b, c))")),
    }
}

/// The first parts, fewer by one each time.
fn rollup(parts: &[Vec<Expr>]) -> Vec<Vec<Expr>> {
    let first = |count| parts.iter().take(count).flatten().cloned().collect();
    (0..=parts.len()).rev().map(first).collect()
}
