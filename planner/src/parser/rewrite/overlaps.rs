//! `(a, b) OVERLAPS (c, d)`: whether two periods have a point of time in common.
//!
//! The second of each pair is a time, or an interval from the first on; either may be earlier than
//! the other. The ends belong to the periods.

use sqlparser::ast::{BinaryOperator, Expr};

use super::expression_location;
use levada_language::dialect::{binary, call};
use levada_language::error::{PlanError, PlanErrorKind};
use sqlparser::tokenizer::Span;

/// The condition that OVERLAPS of these two stands for.
pub(super) fn rewritten(left: &Expr, right: &Expr) -> Result<Expr, PlanError> {
    let (left, right) = (period(left)?, period(right)?);
    let bound = |name: &str, ends: &[Expr; 2]| call(name, Span::empty(), ends.iter().cloned());
    let begins_before = |a: &[Expr; 2], b: &[Expr; 2]| {
        let (first, last) = (bound("least", a), bound("greatest", b));
        binary(first, BinaryOperator::LtEq, last)
    };
    let both = (begins_before(&left, &right), begins_before(&right, &left));
    Ok(binary(both.0, BinaryOperator::And, both.1))
}

/// The two ends of a period.
fn period(pair: &Expr) -> Result<[Expr; 2], PlanError> {
    let Expr::Tuple(parts) = pair else {
        return Err(wrong(pair));
    };
    let [start, end] = parts.as_slice() else {
        return Err(wrong(pair));
    };
    let end = match end {
        Expr::Interval(_) => binary(start.clone(), BinaryOperator::Plus, end.clone()),
        time => time.clone(),
    };
    Ok([start.clone(), end])
}

fn wrong(pair: &Expr) -> PlanError {
    PlanError::new(PlanErrorKind::Syntax, "OVERLAPS compares two periods")
        .hint("such as (start, end) OVERLAPS (start, INTERVAL '1' HOUR)")
        .at(expression_location(pair))
}
