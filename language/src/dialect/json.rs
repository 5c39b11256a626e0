//! The SQL/JSON functions, whose arguments end in clauses instead of commas, and `IS JSON`.
//!
//! They become calls whose clauses are further, positional arguments:
//! - `json_value(json, path, on_empty, on_error, empty_default, error_default)`, where
//!   `on_empty` and `on_error` are 'NULL', 'ERROR' or 'DEFAULT'; RETURNING is a cast around it.
//! - `json_query(json, path, wrapper, on_empty, on_error)`, where `wrapper` is 'WITHOUT',
//!   'CONDITIONAL' or 'UNCONDITIONAL', and the last two are 'NULL', 'ERROR', 'EMPTY ARRAY' or
//!   'EMPTY OBJECT'.
//! - `json_exists(json, path, on_error)`, where `on_error` is 'TRUE', 'FALSE', 'UNKNOWN' or
//!   'ERROR'.
//! - `json_object(on_null, key, value, kind, …)` and `json_array(on_null, value, kind, …)`, where
//!   `on_null` is 'NULL' or 'ABSENT', and `kind` is 'JSON' for what is JSON already, else 'VALUE'.
//! - `json_objectagg(on_null, key, value, kind)` and `json_arrayagg(on_null, value, kind)`, as these.
//! - `is_json(json, kind)`, where `kind` is 'VALUE', 'SCALAR', 'ARRAY' or 'OBJECT'.

use sqlparser::ast::{DataType, Expr, Function, UnaryOperator};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token};

use super::prefix::ast_type;
use super::{call, cast, expect_word, null, peek_nth_word, peek_word, take_word, take_words, text};

/// Whether `name` is a function that [`function`] parses.
pub(super) fn is_json_function(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "JSON_VALUE",
        "JSON_QUERY",
        "JSON_EXISTS",
        "JSON_OBJECT",
        "JSON_ARRAY",
        "JSON_OBJECTAGG",
        "JSON_ARRAYAGG",
    ];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Parses a call of one of the functions that [`is_json_function`] knows.
pub(super) fn function(parser: &mut Parser) -> Result<Expr, ParserError> {
    let name = parser.next_token();
    let span = name.span;
    parser.expect_token(&Token::LParen)?;
    let upper = name.token.to_string().to_ascii_uppercase();
    if upper == "JSON_OBJECT" {
        return json_object(parser, span);
    }
    if upper == "JSON_ARRAY" {
        return json_array(parser, span);
    }
    if upper == "JSON_OBJECTAGG" || upper == "JSON_ARRAYAGG" {
        return aggregate(parser, upper == "JSON_OBJECTAGG", span);
    }
    let json = parser.parse_expr()?;
    parser.expect_token(&Token::Comma)?;
    let path = parser.parse_expr()?;
    let parsed = match upper.as_str() {
        "JSON_VALUE" => json_value(parser, json, path, span)?,
        "JSON_QUERY" => json_query(parser, json, path, span)?,
        _ => json_exists(parser, json, path, span)?,
    };
    parser.expect_token(&Token::RParen)?;
    Ok(parsed)
}

fn json_value(
    parser: &mut Parser,
    json: Expr,
    path: Expr,
    span: Span,
) -> Result<Expr, ParserError> {
    let returning = returning(parser)?;
    let mut empty = ("NULL", None);
    let mut error = ("NULL", None);
    loop {
        let behaviour = if take_word(parser, "NULL") {
            ("NULL", None)
        } else if take_word(parser, "ERROR") {
            ("ERROR", None)
        } else if take_word(parser, "DEFAULT") {
            ("DEFAULT", Some(parser.parse_expr()?))
        } else {
            break;
        };
        expect_word(parser, "ON")?;
        if take_word(parser, "EMPTY") {
            empty = behaviour;
        } else {
            expect_word(parser, "ERROR")?;
            error = behaviour;
        }
    }
    // The function yields text, so defaults pass through it as text and are cast with the rest.
    let default = |value: Option<Expr>| match value {
        Some(expr) => cast(expr, "STRING"),
        None => cast(null(span), "STRING"),
    };
    let args = [
        json,
        path,
        text(empty.0, span),
        text(error.0, span),
        default(empty.1),
        default(error.1),
    ];
    let value = call("json_value", span, args);
    Ok(match returning {
        Some(data_type) => cast(value, data_type.to_string()),
        None => value,
    })
}

fn json_query(
    parser: &mut Parser,
    json: Expr,
    path: Expr,
    span: Span,
) -> Result<Expr, ParserError> {
    if let Some(data_type) = returning(parser)?
        && data_type.to_string() != "STRING"
    {
        let token = parser.get_current_token().clone();
        return parser.expected("RETURNING STRING", token);
    }
    let wrapper = wrapper(parser);
    let (mut empty, mut error) = ("NULL", "NULL");
    loop {
        let behaviour = if take_word(parser, "NULL") {
            "NULL"
        } else if take_word(parser, "ERROR") {
            "ERROR"
        } else if take_words(parser, &["EMPTY", "ARRAY"]) {
            "EMPTY ARRAY"
        } else if take_words(parser, &["EMPTY", "OBJECT"]) {
            "EMPTY OBJECT"
        } else {
            break;
        };
        expect_word(parser, "ON")?;
        if take_word(parser, "EMPTY") {
            empty = behaviour;
        } else {
            expect_word(parser, "ERROR")?;
            error = behaviour;
        }
    }
    let args = [
        json,
        path,
        text(wrapper, span),
        text(empty, span),
        text(error, span),
    ];
    Ok(call("json_query", span, args))
}

fn wrapper(parser: &mut Parser) -> &'static str {
    let kind = if take_word(parser, "WITHOUT") {
        "WITHOUT"
    } else if take_words(parser, &["WITH", "CONDITIONAL"]) {
        "CONDITIONAL"
    } else if take_words(parser, &["WITH", "UNCONDITIONAL"]) || take_word(parser, "WITH") {
        "UNCONDITIONAL"
    } else {
        return "WITHOUT";
    };
    take_word(parser, "ARRAY");
    take_word(parser, "WRAPPER");
    kind
}

fn json_exists(
    parser: &mut Parser,
    json: Expr,
    path: Expr,
    span: Span,
) -> Result<Expr, ParserError> {
    let behaviour = ["TRUE", "FALSE", "UNKNOWN", "ERROR"]
        .into_iter()
        .find(|word| take_word(parser, word));
    if behaviour.is_some() {
        expect_word(parser, "ON")?;
        expect_word(parser, "ERROR")?;
    }
    let args = [json, path, text(behaviour.unwrap_or("FALSE"), span)];
    Ok(call("json_exists", span, args))
}

/// `JSON_OBJECT([[KEY] k VALUE v, …] [NULL | ABSENT ON NULL])`, behind its parenthesis.
fn json_object(parser: &mut Parser, span: Span) -> Result<Expr, ParserError> {
    let mut members = Vec::new();
    while !ends_members(parser) {
        if !members.is_empty() {
            parser.expect_token(&Token::Comma)?;
        }
        // A column may be called KEY.
        if peek_word(parser, "KEY") && !peek_nth_word(parser, 1, "VALUE") {
            parser.advance_token();
        }
        members.push(parser.parse_expr()?);
        expect_word(parser, "VALUE")?;
        push_value(parser.parse_expr()?, span, &mut members);
    }
    let on_null = on_null(parser, "NULL")?;
    let args = std::iter::once(text(on_null, span)).chain(members);
    Ok(call("json_object", span, args))
}

/// `JSON_ARRAY([v, …] [NULL | ABSENT ON NULL])`, behind its parenthesis.
fn json_array(parser: &mut Parser, span: Span) -> Result<Expr, ParserError> {
    let mut members = Vec::new();
    while !ends_members(parser) {
        if !members.is_empty() {
            parser.expect_token(&Token::Comma)?;
        }
        push_value(parser.parse_expr()?, span, &mut members);
    }
    let on_null = on_null(parser, "ABSENT")?;
    let args = std::iter::once(text(on_null, span)).chain(members);
    Ok(call("json_array", span, args))
}

/// `JSON_OBJECTAGG([KEY] k VALUE v [NULL | ABSENT ON NULL])` and `JSON_ARRAYAGG(v [NULL | ABSENT ON NULL])`, behind
/// the parenthesis; each may have a FILTER.
fn aggregate(parser: &mut Parser, object: bool, span: Span) -> Result<Expr, ParserError> {
    let mut members = Vec::new();
    if object {
        if peek_word(parser, "KEY") && !peek_nth_word(parser, 1, "VALUE") {
            take_word(parser, "KEY");
        }
        members.push(parser.parse_expr()?);
        expect_word(parser, "VALUE")?;
    }
    push_value(parser.parse_expr()?, span, &mut members);
    let on_null = on_null(parser, if object { "NULL" } else { "ABSENT" })?;
    let args = std::iter::once(text(on_null, span)).chain(members);
    let name = if object {
        "json_objectagg"
    } else {
        "json_arrayagg"
    };
    let mut aggregate = call(name, span, args);
    if let Expr::Function(function) = &mut aggregate
        && take_word(parser, "FILTER")
    {
        parser.expect_token(&Token::LParen)?;
        expect_word(parser, "WHERE")?;
        function.filter = Some(Box::new(parser.parse_expr()?));
        parser.expect_token(&Token::RParen)?;
    }
    Ok(aggregate)
}

/// Whether the list of members is at its end, or at the clause behind it.
fn ends_members(parser: &Parser) -> bool {
    let clause = ["NULL", "ABSENT"]
        .iter()
        .any(|word| peek_word(parser, word) && peek_nth_word(parser, 1, "ON"));
    clause || parser.peek_token_ref().token == Token::RParen
}

/// What becomes of NULL, and the closing parenthesis.
fn on_null(parser: &mut Parser, default: &'static str) -> Result<&'static str, ParserError> {
    let word = ["NULL", "ABSENT"]
        .into_iter()
        .find(|word| take_word(parser, word));
    if word.is_some() {
        expect_word(parser, "ON")?;
        expect_word(parser, "NULL")?;
    }
    parser.expect_token(&Token::RParen)?;
    Ok(word.unwrap_or(default))
}

/// A value and its kind: what a JSON function has built stands in another one as it is.
fn push_value(value: Expr, span: Span, members: &mut Vec<Expr>) {
    let is_json = match &value {
        Expr::Function(Function { name, .. }) => {
            let name = name.to_string();
            ["JSON", "JSON_OBJECT", "JSON_ARRAY"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
        }
        _ => false,
    };
    members.push(value);
    members.push(text(if is_json { "JSON" } else { "VALUE" }, span));
}

fn returning(parser: &mut Parser) -> Result<Option<DataType>, ParserError> {
    if take_word(parser, "RETURNING") {
        ast_type(parser).map(Some)
    } else {
        Ok(None)
    }
}

/// `x IS [NOT] JSON [VALUE | SCALAR | ARRAY | OBJECT]`; `None` if it is another IS.
pub(super) fn is_json(parser: &mut Parser, expr: &Expr) -> Option<Result<Expr, ParserError>> {
    let span = parser.peek_token_ref().span;
    let negated = if take_words(parser, &["IS", "JSON"]) {
        false
    } else if take_words(parser, &["IS", "NOT", "JSON"]) {
        true
    } else {
        return None;
    };
    let kind = ["VALUE", "SCALAR", "ARRAY", "OBJECT"]
        .into_iter()
        .find(|word| take_word(parser, word))
        .unwrap_or("VALUE");
    let test = call("is_json", span, [expr.clone(), text(kind, span)]);
    Some(Ok(if negated {
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr: Box::new(test),
        }
    } else {
        test
    }))
}
