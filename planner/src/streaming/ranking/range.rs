//! Which numbers a condition lets pass.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, InListExpr, Literal};
use datafusion::physical_expr::utils::split_conjunction;

use crate::streaming::calc::and;
use crate::streaming::expression::{self, ExprRef};
use crate::streaming::rank::UNLIMITED;

/// The numbers from one to another, both included; none if `from` is greater than `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) from: u64,
    pub(super) to: u64,
}

impl Range {
    /// All numbers.
    pub(super) const ALL: Range = Range {
        from: 1,
        to: UNLIMITED,
    };

    const NONE: Range = Range { from: 1, to: 0 };

    pub(super) fn is_empty(self) -> bool {
        self.from > self.to
    }

    /// The numbers that are in both.
    pub(super) fn and(self, other: Range) -> Range {
        Range {
            from: self.from.max(other.from),
            to: self.to.min(other.to),
        }
    }

    /// The numbers of both, and those between.
    fn hull(self, other: Range) -> Range {
        match (self.is_empty(), other.is_empty()) {
            (true, _) => other,
            (_, true) => self,
            _ => Range {
                from: self.from.min(other.from),
                to: self.to.max(other.to),
            },
        }
    }
}

/// What a condition says about the numbers of rows.
#[derive(Debug)]
pub(super) struct Limits {
    /// Numbers outside of it do not pass.
    pub(super) range: Range,
    /// What of the condition is not said by that.
    pub(super) rest: Option<ExprRef>,
}

impl Limits {
    /// Of a condition in which `is_number` tells the columns that have the number.
    pub(super) fn of(condition: &ExprRef, is_number: &dyn Fn(usize) -> bool) -> Self {
        let mut limits = Limits {
            range: Range::ALL,
            rest: None,
        };
        for part in split_conjunction(condition) {
            let passing = passing(part, is_number);
            if let Some(passing) = passing {
                limits.range = limits.range.and(passing.range);
            }
            if !passing.is_some_and(|passing| passing.exact) {
                limits.rest = and(limits.rest, Some(Arc::clone(part)));
            }
        }
        limits
    }
}

/// The numbers that a condition lets pass.
#[derive(Debug, Clone, Copy)]
struct Passing {
    /// None outside of it.
    range: Range,
    /// Whether these are just the numbers in it, whatever else there is of the row.
    exact: bool,
}

/// What a condition lets pass, if it says something about numbers.
fn passing(condition: &ExprRef, is_number: &dyn Fn(usize) -> bool) -> Option<Passing> {
    if let Some(list) = condition.downcast_ref::<InListExpr>() {
        return in_list(list, is_number);
    }
    let binary = condition.downcast_ref::<BinaryExpr>()?;
    let (left, right) = (binary.left(), binary.right());
    match binary.op() {
        Operator::And => match (passing(left, is_number), passing(right, is_number)) {
            (Some(a), Some(b)) => Some(Passing {
                range: a.range.and(b.range),
                exact: a.exact && b.exact,
            }),
            (one, other) => one.or(other).map(|passing| Passing {
                exact: false,
                ..passing
            }),
        },
        Operator::Or => Some(Passing {
            range: passing(left, is_number)?
                .range
                .hull(passing(right, is_number)?.range),
            exact: false,
        }),
        operator => {
            let number = |e: &ExprRef| expression::as_column(e).is_some_and(is_number);
            let (operator, limit) = match (number(left), number(right)) {
                (true, false) => (*operator, integer(right)?),
                (false, true) => (operator.swap()?, integer(left)?),
                _ => return None,
            };
            Some(Passing {
                range: compared(operator, limit)?,
                exact: true,
            })
        }
    }
}

/// The numbers for which `number operator limit` holds.
fn compared(operator: Operator, limit: i128) -> Option<Range> {
    let all = Range::ALL;
    // Beyond what can be counted there is nothing.
    let number = |limit: i128| u64::try_from(limit.max(0)).unwrap_or(UNLIMITED);
    Some(match operator {
        Operator::Eq if limit < 1 => Range::NONE,
        Operator::Eq => Range {
            from: number(limit),
            to: number(limit),
        },
        Operator::Lt => Range {
            to: number(limit - 1),
            ..all
        },
        Operator::LtEq => Range {
            to: number(limit),
            ..all
        },
        Operator::Gt => Range {
            from: number(limit + 1).max(1),
            ..all
        },
        Operator::GtEq => Range {
            from: number(limit).max(1),
            ..all
        },
        _ => return None,
    })
}

fn in_list(list: &InListExpr, is_number: &dyn Fn(usize) -> bool) -> Option<Passing> {
    let number = expression::as_column(list.expr()).is_some_and(is_number);
    if list.negated() || !number {
        return None;
    }
    let mut range = Range::NONE;
    for value in list.list() {
        range = range.hull(compared(Operator::Eq, integer(value)?)?);
    }
    Some(Passing {
        range,
        exact: false,
    })
}

/// The whole number that an expression is.
fn integer(expr: &ExprRef) -> Option<i128> {
    Some(match expr.downcast_ref::<Literal>()?.value() {
        ScalarValue::Int8(Some(value)) => i128::from(*value),
        ScalarValue::Int16(Some(value)) => i128::from(*value),
        ScalarValue::Int32(Some(value)) => i128::from(*value),
        ScalarValue::Int64(Some(value)) => i128::from(*value),
        ScalarValue::UInt8(Some(value)) => i128::from(*value),
        ScalarValue::UInt16(Some(value)) => i128::from(*value),
        ScalarValue::UInt32(Some(value)) => i128::from(*value),
        ScalarValue::UInt64(Some(value)) => i128::from(*value),
        _ => return None,
    })
}
