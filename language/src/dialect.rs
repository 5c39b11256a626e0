//! The dialect: what sqlparser is told about Levada's SQL.
//!
//! Most of the grammar of queries is sqlparser's own. Its hooks add what is missing:
//! table and descriptor arguments (`TABLE t PARTITION BY k`), the types of CAST, map
//! literals, JSON functions with their clauses, `IS JSON`, BETWEEN with SYMMETRIC, and clauses of MATCH_RECOGNIZE ([`pattern`]). Whatever a hook builds is an ordinary
//! syntax tree with positions, so that later stages need not know that a hook was there.

mod between;
mod json;
pub mod pattern;
mod prefix;

use std::iter::once;

use sqlparser::ast::{
    BinaryOperator, CastKind, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, UnaryOperator, Value,
};
use sqlparser::dialect::Dialect;
use sqlparser::keywords::{Keyword, RESERVED_FOR_IDENTIFIER};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token};

/// The function name under which a table argument (`TABLE t`) stands in a syntax tree.
///
/// Its only argument is the table's name, and its OVER clause, if any, holds PARTITION BY and ORDER BY.
pub const TABLE_ARGUMENT: &str = "__levada_table";

/// Levada's SQL dialect. See the module's documentation.
#[derive(Debug, Default, Clone, Copy)]
pub struct LevadaDialect;

/// Words that begin a special expression and so cannot name a column without quotes. Were they
/// not reserved, a slip inside such an expression would be reported at its first word.
const EXPRESSION_WORDS: &[Keyword] = &[
    Keyword::CASE,
    Keyword::CAST,
    Keyword::TRY_CAST,
    Keyword::EXTRACT,
    Keyword::SUBSTRING,
    Keyword::OVERLAY,
];

impl Dialect for LevadaDialect {
    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '`' || ch == '"'
    }

    fn identifier_quote_style(&self, _identifier: &str) -> Option<char> {
        Some('`')
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_' || ch == '$'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_' || ch == '$'
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_within_after_array_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_window_clause_named_window_reference(&self) -> bool {
        true
    }

    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }

    fn supports_match_recognize(&self) -> bool {
        true
    }

    fn supports_table_versioning(&self) -> bool {
        true
    }

    fn supports_limit_comma(&self) -> bool {
        false
    }

    fn supports_select_wildcard_exclude(&self) -> bool {
        true
    }

    fn supports_select_wildcard_except(&self) -> bool {
        true
    }

    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        RESERVED_FOR_IDENTIFIER.contains(&keyword) || EXPRESSION_WORDS.contains(&keyword)
    }

    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        prefix::parse(parser)
    }

    fn parse_infix(
        &self,
        parser: &mut Parser,
        expr: &Expr,
        precedence: u8,
    ) -> Option<Result<Expr, ParserError>> {
        if let Some(between) = between::parse(parser, expr) {
            return Some(between);
        }
        if !parser.peek_keyword(Keyword::IS) {
            return None;
        }
        is_distinct(parser, expr, precedence).or_else(|| json::is_json(parser, expr))
    }
}

/// `a IS [NOT] DISTINCT FROM b`: sqlparser reads `b` up to the end of the whole condition,
/// `AND` included; here it ends where the precedence of IS says.
fn is_distinct(
    parser: &mut Parser,
    expr: &Expr,
    precedence: u8,
) -> Option<Result<Expr, ParserError>> {
    let plain = [Keyword::IS, Keyword::DISTINCT, Keyword::FROM];
    let negated = [Keyword::IS, Keyword::NOT, Keyword::DISTINCT, Keyword::FROM];
    let make: fn(Box<Expr>, Box<Expr>) -> Expr = if parser.parse_keywords(&plain) {
        Expr::IsDistinctFrom
    } else if parser.parse_keywords(&negated) {
        Expr::IsNotDistinctFrom
    } else {
        return None;
    };
    let left = Box::new(expr.clone());
    Some(
        parser
            .parse_subexpr(precedence)
            .map(|right| make(left, Box::new(right))),
    )
}

/// Whether the next token is the unquoted word `expected`.
pub fn peek_word(parser: &Parser, expected: &str) -> bool {
    peek_nth_word(parser, 0, expected)
}

/// Whether the `n`th next token is the unquoted word `expected`.
pub fn peek_nth_word(parser: &Parser, n: usize, expected: &str) -> bool {
    matches!(
        &parser.peek_nth_token_ref(n).token,
        Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected)
    )
}

/// Consumes the unquoted word `expected` if it comes next.
pub fn take_word(parser: &mut Parser, expected: &str) -> bool {
    let found = peek_word(parser, expected);
    if found {
        parser.advance_token();
    }
    found
}

/// Consumes all of `expected`, or nothing.
pub fn take_words(parser: &mut Parser, expected: &[&str]) -> bool {
    let found = expected
        .iter()
        .enumerate()
        .all(|(n, word)| peek_nth_word(parser, n, word));
    if found {
        expected.iter().for_each(|_| parser.advance_token());
    }
    found
}

/// Consumes the unquoted word `expected`, or fails.
pub fn expect_word(parser: &mut Parser, expected: &str) -> Result<(), ParserError> {
    if take_word(parser, expected) {
        return Ok(());
    }
    let token = parser.peek_token();
    parser.expected(expected, token)
}

/// A call of `name`, which stands where `span` is, with positional arguments.
pub fn call(name: &str, span: Span, args: impl IntoIterator<Item = Expr>) -> Expr {
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::with_span(span, name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: args
                .into_iter()
                .map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)))
                .collect(),
            clauses: vec![],
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: vec![],
    })
}

/// A string literal at `span`.
pub fn text(value: impl Into<String>, span: Span) -> Expr {
    Expr::Value(Value::SingleQuotedString(value.into()).with_span(span))
}

/// An integer literal at `span`.
pub fn number(value: i64, span: Span) -> Expr {
    let magnitude =
        Expr::Value(Value::Number(value.unsigned_abs().to_string(), false).with_span(span));
    if value < 0 {
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr: Box::new(magnitude),
        }
    } else {
        magnitude
    }
}

/// The literal NULL at `span`.
pub fn null(span: Span) -> Expr {
    Expr::Value(Value::Null.with_span(span))
}

/// `CAST(expr AS type)`, the type being one of this dialect.
pub fn cast(expr: Expr, data_type: impl Into<String>) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(expr),
        data_type: prefix::type_from_text(data_type.into()),
        array: false,
        format: None,
    }
}

/// `left op right`, in parentheses.
pub fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::Nested(Box::new(Expr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(right),
    }))
}

/// The words of the dialect that begin or continue a clause; candidates for "did you mean".
pub fn clause_words() -> impl Iterator<Item = &'static str> {
    const WORDS: &[&str] = &[
        "FROM",
        "WHERE",
        "GROUP",
        "BY",
        "HAVING",
        "ORDER",
        "LIMIT",
        "UNION",
        "JOIN",
        "LEFT",
        "ON",
        "AS",
        "AND",
        "OR",
        "NOT",
        "WITH",
        "VALUES",
        "INTO",
        "PARTITION",
        "OVER",
        "BETWEEN",
        "LIKE",
        "WATERMARK",
        "PRIMARY",
        "KEY",
        "ENFORCED",
        "METADATA",
        "VIRTUAL",
        "COMMENT",
        "PARTITIONED",
        "THEN",
        "WHEN",
        "ELSE",
        "END",
        "INTERVAL",
        "DISTINCT",
        "EXISTS",
        "INNER",
        "OUTER",
    ];
    once("SELECT").chain(WORDS.iter().copied())
}
