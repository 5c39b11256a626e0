//! Expressions that begin with a word of their own.

use sqlparser::ast::{
    CastKind, DataType, Expr, Ident, Map, MapEntry, ObjectName, WindowSpec, WindowType,
};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token, Word};

use super::pattern::{FINAL, RUNNING};
use super::{TABLE_ARGUMENT, call, expect_word, json, peek_nth_word, peek_word};
use crate::types::parse_type;

/// Parses the expression at the parser's position if its first word is special here.
pub(super) fn parse(parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
    let [first, second] = parser.peek_tokens_ref();
    let Token::Word(Word {
        keyword,
        quote_style: None,
        value,
    }) = &first.token
    else {
        return None;
    };
    let opens = second.token == Token::LParen;
    match keyword {
        Keyword::TABLE if starts_name(&second.token) => Some(table_argument(parser)),
        Keyword::CAST if opens => Some(cast(parser, CastKind::Cast)),
        Keyword::TRY_CAST if opens => Some(cast(parser, CastKind::TryCast)),
        Keyword::MAP if second.token == Token::LBracket => Some(map_literal(parser)),
        _ if opens && json::is_json_function(value) => Some(json::function(parser)),
        _ if calls(parser, &second.token) => {
            semantics(value).map(|name| with_semantics(name, parser))
        }
        _ => None,
    }
}

/// Whether a word and then a parenthesis come behind the first word.
fn calls(parser: &Parser, second: &Token) -> bool {
    matches!(second, Token::Word(_)) && parser.peek_nth_token_ref(2).token == Token::LParen
}

/// The functions that FINAL and RUNNING become.
fn semantics(value: &str) -> Option<&'static str> {
    match value.to_ascii_uppercase().as_str() {
        "FINAL" => Some(FINAL),
        "RUNNING" => Some(RUNNING),
        _ => None,
    }
}

/// `FINAL f(…)` and `RUNNING f(…)`, in MEASURES.
fn with_semantics(name: &str, parser: &mut Parser) -> Result<Expr, ParserError> {
    let span = parser.next_token().span;
    let inner = parser.parse_prefix()?;
    Ok(call(name, span, [inner]))
}

fn starts_name(token: &Token) -> bool {
    matches!(token, Token::Word(_))
}

/// `TABLE name [PARTITION BY keys]`, an argument of a window table function.
fn table_argument(parser: &mut Parser) -> Result<Expr, ParserError> {
    let span = parser.next_token().span;
    let name = parser.parse_object_name(false)?;
    let idents: Vec<Ident> = name
        .0
        .iter()
        .filter_map(|part| part.as_ident().cloned())
        .collect();
    let table = if let [only] = idents.as_slice() {
        Expr::Identifier(only.clone())
    } else {
        Expr::CompoundIdentifier(idents)
    };
    let partition_by = if peek_word(parser, "PARTITION") {
        partition_keys(parser)?
    } else {
        Vec::new()
    };
    let mut order_by = Vec::new();
    if peek_word(parser, "ORDER") {
        expect_word(parser, "ORDER")?;
        expect_word(parser, "BY")?;
        order_by.push(parser.parse_order_by_expr()?);
    }
    let mut argument = call(TABLE_ARGUMENT, span, [table]);
    if let Expr::Function(function) = &mut argument
        && !(partition_by.is_empty() && order_by.is_empty())
    {
        function.over = Some(WindowType::WindowSpec(WindowSpec {
            window_name: None,
            partition_by,
            order_by,
            window_frame: None,
        }));
    }
    Ok(argument)
}

/// `PARTITION BY a, b` or `PARTITION BY (a, b)`. Without parentheses the list ends before the
/// next argument of the function, which is a call or a named argument.
fn partition_keys(parser: &mut Parser) -> Result<Vec<Expr>, ParserError> {
    expect_word(parser, "PARTITION")?;
    expect_word(parser, "BY")?;
    if parser.consume_token(&Token::LParen) {
        let keys = parser.parse_comma_separated(Parser::parse_expr)?;
        parser.expect_token(&Token::RParen)?;
        return Ok(keys);
    }
    let mut keys = vec![parser.parse_expr()?];
    loop {
        let [comma, word, after] = parser.peek_tokens_ref();
        let next_is_key = comma.token == Token::Comma
            && matches!(word.token, Token::Word(_))
            && !matches!(after.token, Token::LParen | Token::RArrow);
        if !next_is_key || peek_nth_word(parser, 1, "INTERVAL") {
            return Ok(keys);
        }
        parser.advance_token();
        keys.push(parser.parse_expr()?);
    }
}

/// `CAST(x AS type)`, where the type is one of this dialect. The syntax tree keeps it as text.
fn cast(parser: &mut Parser, kind: CastKind) -> Result<Expr, ParserError> {
    parser.advance_token();
    parser.expect_token(&Token::LParen)?;
    let expr = parser.parse_expr()?;
    parser.expect_keyword_is(Keyword::AS)?;
    let data_type = ast_type(parser)?;
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::Cast {
        kind,
        expr: Box::new(expr),
        data_type,
        array: false,
        format: None,
    })
}

/// Reads a type of this dialect and wraps its canonical text as sqlparser's type.
pub(super) fn ast_type(parser: &mut Parser) -> Result<DataType, ParserError> {
    let parsed = parse_type(parser)?;
    Ok(type_from_text(parsed.sql_type.to_string()))
}

/// sqlparser's type for the text of a type of this dialect.
pub(super) fn type_from_text(text: String) -> DataType {
    let name = Ident::with_span(Span::empty(), text);
    DataType::Custom(ObjectName::from(vec![name]), vec![])
}

/// `MAP['k1', v1, 'k2', v2]`.
fn map_literal(parser: &mut Parser) -> Result<Expr, ParserError> {
    parser.advance_token();
    parser.expect_token(&Token::LBracket)?;
    let mut entries = Vec::new();
    loop {
        let key = parser.parse_expr()?;
        parser.expect_token(&Token::Comma)?;
        let value = parser.parse_expr()?;
        entries.push(MapEntry {
            key: Box::new(key),
            value: Box::new(value),
        });
        if !parser.consume_token(&Token::Comma) {
            break;
        }
    }
    parser.expect_token(&Token::RBracket)?;
    Ok(Expr::Map(Map { entries }))
}
