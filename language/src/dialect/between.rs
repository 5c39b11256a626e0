//! `x [NOT] BETWEEN SYMMETRIC a AND b`, whose bounds may come in either order, and ASYMMETRIC, the
//! default.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};
use sqlparser::dialect::Precedence;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};

use super::{LevadaDialect, binary, peek_nth_word, take_word, take_words};
use sqlparser::dialect::Dialect;

/// Parses what follows `expr` if it is one of these; `None` if it is a plain BETWEEN or something
/// else.
pub(super) fn parse(parser: &mut Parser, expr: &Expr) -> Option<Result<Expr, ParserError>> {
    let negated = peek_nth_word(parser, 0, "NOT");
    let skipped = usize::from(negated);
    let named = |word| peek_nth_word(parser, skipped + 1, word);
    if !peek_nth_word(parser, skipped, "BETWEEN") || !(named("SYMMETRIC") || named("ASYMMETRIC")) {
        return None;
    }
    take_word(parser, "NOT");
    let symmetric = take_words(parser, &["BETWEEN", "SYMMETRIC"]);
    if !symmetric {
        take_words(parser, &["BETWEEN", "ASYMMETRIC"]);
    }
    Some(bounds(parser).map(|(low, high)| {
        let plain = between(expr, &low, &high);
        let whole = match symmetric {
            true => binary(plain, BinaryOperator::Or, between(expr, &high, &low)),
            false => Expr::Nested(Box::new(plain)),
        };
        match negated {
            true => Expr::UnaryOp {
                op: UnaryOperator::Not,
                expr: Box::new(whole),
            },
            false => whole,
        }
    }))
}

fn bounds(parser: &mut Parser) -> Result<(Expr, Expr), ParserError> {
    let precedence = LevadaDialect.prec_value(Precedence::Between);
    let low = parser.parse_subexpr(precedence)?;
    parser.expect_keyword_is(Keyword::AND)?;
    let high = parser.parse_subexpr(precedence)?;
    Ok((low, high))
}

fn between(expr: &Expr, low: &Expr, high: &Expr) -> Expr {
    Expr::Between {
        expr: Box::new(expr.clone()),
        negated: false,
        low: Box::new(low.clone()),
        high: Box::new(high.clone()),
    }
}
