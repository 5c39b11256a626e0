//! Reading a type from tokens.

use sqlparser::ast::Ident;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location as SqlLocation, Token, TokenWithSpan, Word};

use super::{Nullable, RowField, SqlType};
use crate::dialect::LevadaDialect;
use crate::error::{PlanError, PlanErrorKind, nearest};

const MAX_LENGTH: u32 = i32::MAX as u32;
const MAX_DECIMAL_PRECISION: u8 = 38;
const DEFAULT_TIMESTAMP_PRECISION: u8 = 6;
/// Types nest at most this deep, so that hostile text cannot exhaust the stack.
const MAX_DEPTH: usize = 64;

const NAMES: &[&str] = &[
    "ARRAY",
    "BIGINT",
    "BINARY",
    "BOOLEAN",
    "BYTES",
    "CHAR",
    "DATE",
    "DECIMAL",
    "DOUBLE",
    "FLOAT",
    "INT",
    "INTEGER",
    "MAP",
    "MULTISET",
    "NUMERIC",
    "ROW",
    "SMALLINT",
    "STRING",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP_LTZ",
    "TINYINT",
    "VARBINARY",
    "VARCHAR",
];

/// Reads a type with an optional `[NOT] NULL` from the parser's position.
///
/// # Errors
/// A syntax error, or a type whose name or parameters are out of range; both with a position.
pub fn parse_type(parser: &mut Parser<'_>) -> Result<Nullable, ParserError> {
    let mut types = TypeParser {
        parser,
        open_brackets: 0,
        depth: 0,
    };
    let parsed = types.nullable()?;
    if types.open_brackets > 0 {
        let token = types.parser.get_current_token().clone();
        return types.parser.expected("a type without a closing >", token);
    }
    Ok(parsed)
}

/// Reads a type that is the whole of `text`.
///
/// # Errors
/// The text is not a type, or something follows it.
pub fn parse_type_text(text: &str) -> Result<Nullable, PlanError> {
    let dialect = LevadaDialect;
    let mut parser = Parser::new(&dialect).try_with_sql(text)?;
    let parsed = parse_type(&mut parser)?;
    match parser.peek_token().token {
        Token::EOF => Ok(parsed),
        other => Err(PlanError::new(
            PlanErrorKind::InvalidType,
            format!("{text} is not a type: {other} is unexpected"),
        )),
    }
}

struct TypeParser<'p, 'a> {
    parser: &'p mut Parser<'a>,
    /// Closing brackets of the last `>>` token that belong to enclosing types.
    open_brackets: usize,
    depth: usize,
}

impl TypeParser<'_, '_> {
    fn nullable(&mut self) -> Result<Nullable, ParserError> {
        let sql_type = self.sql_type()?;
        // NOT NULL after `>>` would belong to an enclosing type, whose turn comes later.
        let nullable = if self.open_brackets > 0 {
            true
        } else if self.parser.parse_keywords(&[Keyword::NOT, Keyword::NULL]) {
            false
        } else {
            // An explicit NULL says nothing new.
            let _ = self.parser.parse_keyword(Keyword::NULL);
            true
        };
        Ok(Nullable { sql_type, nullable })
    }

    fn sql_type(&mut self) -> Result<SqlType, ParserError> {
        let token = self.parser.next_token();
        let Token::Word(word) = &token.token else {
            return self.parser.expected("a type", token);
        };
        if word.quote_style.is_some() {
            return self.parser.expected("a type", token);
        }
        let name = word.value.to_ascii_uppercase();
        Ok(match name.as_str() {
            "BOOLEAN" | "BOOL" => SqlType::Boolean,
            "TINYINT" => SqlType::TinyInt,
            "SMALLINT" | "INT2" => SqlType::SmallInt,
            "INT" | "INTEGER" | "INT4" => SqlType::Int,
            "BIGINT" | "INT8" => SqlType::BigInt,
            "FLOAT" | "REAL" => SqlType::Float,
            "DOUBLE" => {
                self.word("PRECISION");
                SqlType::Double
            }
            "DECIMAL" | "NUMERIC" | "DEC" => self.decimal(&token)?,
            "CHAR" | "CHARACTER" if self.word("VARYING") => self.length(SqlType::Varchar, 1)?,
            "CHAR" | "CHARACTER" => self.length(SqlType::Char, 1)?,
            "VARCHAR" => self.varchar()?,
            "STRING" | "TEXT" => SqlType::String,
            "BINARY" if self.word("VARYING") => self.length(SqlType::Varbinary, 1)?,
            "BINARY" => self.length(SqlType::Binary, 1)?,
            "VARBINARY" => self.length(SqlType::Varbinary, 1)?,
            "BYTES" | "BYTEA" => SqlType::Bytes,
            "DATE" => SqlType::Date,
            "TIME" => self.time(&token)?,
            "TIMESTAMP" => self.timestamp(&token)?,
            "TIMESTAMP_LTZ" => SqlType::TimestampLtz(self.precision(DEFAULT_TIMESTAMP_PRECISION)?),
            "ARRAY" => SqlType::Array(Box::new(self.element()?)),
            "MULTISET" => SqlType::Multiset(Box::new(self.element()?)),
            "MAP" => self.map()?,
            "ROW" | "STRUCT" => self.row()?,
            _ => return Err(unknown_type(word, &token)),
        })
    }

    fn word(&mut self, expected: &str) -> bool {
        let found = matches!(
            &self.parser.peek_token_ref().token,
            Token::Word(Word { value, quote_style: None, .. }) if value.eq_ignore_ascii_case(expected)
        );
        if found {
            self.parser.advance_token();
        }
        found
    }

    fn number(&mut self) -> Result<(u64, TokenWithSpan), ParserError> {
        let token = self.parser.peek_token();
        Ok((self.parser.parse_literal_uint()?, token))
    }

    fn length(&mut self, make: fn(u32) -> SqlType, default: u32) -> Result<SqlType, ParserError> {
        if !self.parser.consume_token(&Token::LParen) {
            return Ok(make(default));
        }
        let (length, token) = self.number()?;
        self.parser.expect_token(&Token::RParen)?;
        match u32::try_from(length) {
            Ok(length) if (1..=MAX_LENGTH).contains(&length) => Ok(make(length)),
            _ => Err(out_of_range(
                &format!("length {length} is not between 1 and {MAX_LENGTH}"),
                &token,
            )),
        }
    }

    /// VARCHAR without a length is as long as can be, as in PostgreSQL.
    fn varchar(&mut self) -> Result<SqlType, ParserError> {
        Ok(match self.length(SqlType::Varchar, MAX_LENGTH)? {
            SqlType::Varchar(MAX_LENGTH) => SqlType::String,
            other => other,
        })
    }

    fn decimal(&mut self, name: &TokenWithSpan) -> Result<SqlType, ParserError> {
        if !self.parser.consume_token(&Token::LParen) {
            return Ok(SqlType::Decimal(10, 0));
        }
        let (precision, _) = self.number()?;
        let scale = if self.parser.consume_token(&Token::Comma) {
            self.number()?.0
        } else {
            0
        };
        self.parser.expect_token(&Token::RParen)?;
        let range = 1..=u64::from(MAX_DECIMAL_PRECISION);
        match (u8::try_from(precision), i8::try_from(scale)) {
            (Ok(p), Ok(s)) if range.contains(&precision) && scale <= precision => {
                Ok(SqlType::Decimal(p, s))
            }
            _ => Err(out_of_range(
                &format!(
                    "DECIMAL({precision}, {scale}): the precision is between 1 and \
                     {MAX_DECIMAL_PRECISION}, the scale not above it"
                ),
                name,
            )),
        }
    }

    fn precision(&mut self, default: u8) -> Result<u8, ParserError> {
        if !self.parser.consume_token(&Token::LParen) {
            return Ok(default);
        }
        let (precision, token) = self.number()?;
        self.parser.expect_token(&Token::RParen)?;
        match u8::try_from(precision) {
            Ok(precision) if precision <= 9 => Ok(precision),
            _ => Err(out_of_range(
                &format!("precision {precision} is not between 0 and 9"),
                &token,
            )),
        }
    }

    fn time(&mut self, name: &TokenWithSpan) -> Result<SqlType, ParserError> {
        let precision = self.precision(0)?;
        match self.zone()? {
            Zone::Without => Ok(SqlType::Time(precision)),
            _ => Err(out_of_range("TIME has no time zone", name)),
        }
    }

    fn timestamp(&mut self, name: &TokenWithSpan) -> Result<SqlType, ParserError> {
        let precision = self.precision(DEFAULT_TIMESTAMP_PRECISION)?;
        match self.zone()? {
            Zone::Without => Ok(SqlType::Timestamp(precision)),
            Zone::Local => Ok(SqlType::TimestampLtz(precision)),
            Zone::With => Err(out_of_range(
                "TIMESTAMP WITH TIME ZONE keeps a zone in every value and is not supported; \
                 TIMESTAMP_LTZ is an instant",
                name,
            )),
        }
    }

    fn zone(&mut self) -> Result<Zone, ParserError> {
        if self.word("WITHOUT") {
            self.expect_words(&["TIME", "ZONE"])?;
            return Ok(Zone::Without);
        }
        // WITH may also begin the options of the table whose last column this is.
        let [with, next, _] = self.parser.peek_tokens();
        if !is_word(&with, "WITH") || !(is_word(&next, "LOCAL") || is_word(&next, "TIME")) {
            return Ok(Zone::Without);
        }
        self.parser.advance_token();
        let local = self.word("LOCAL");
        self.expect_words(&["TIME", "ZONE"])?;
        Ok(if local { Zone::Local } else { Zone::With })
    }

    fn expect_words(&mut self, words: &[&str]) -> Result<(), ParserError> {
        for word in words {
            if !self.word(word) {
                let token = self.parser.peek_token();
                return self.parser.expected(word, token);
            }
        }
        Ok(())
    }

    fn element(&mut self) -> Result<Nullable, ParserError> {
        self.open()?;
        let element = self.nullable()?;
        self.close()?;
        Ok(element)
    }

    fn map(&mut self) -> Result<SqlType, ParserError> {
        self.open()?;
        let key = self.nullable()?;
        self.parser.expect_token(&Token::Comma)?;
        let value = self.nullable()?;
        self.close()?;
        Ok(SqlType::Map(Box::new(key), Box::new(value)))
    }

    fn row(&mut self) -> Result<SqlType, ParserError> {
        let parentheses = self.parser.consume_token(&Token::LParen);
        if parentheses {
            self.deeper()?;
        } else {
            self.open()?;
        }
        let mut fields: Vec<RowField> = Vec::new();
        loop {
            let name: Ident = self.parser.parse_identifier()?;
            if fields.iter().any(|field| field.name == name.value) {
                let at = name.span.start;
                return Err(error_at(
                    &format!("field {} appears twice in ROW", name.value),
                    at,
                ));
            }
            let field_type = self.nullable()?;
            let comment = if self.open_brackets == 0 {
                self.comment()?
            } else {
                None
            };
            fields.push(RowField {
                name: name.value,
                field_type,
                comment,
            });
            if self.open_brackets > 0 || !self.parser.consume_token(&Token::Comma) {
                break;
            }
        }
        if parentheses {
            self.depth -= 1;
            self.parser.expect_token(&Token::RParen)?;
        } else {
            self.close()?;
        }
        Ok(SqlType::Row(fields))
    }

    fn comment(&mut self) -> Result<Option<String>, ParserError> {
        let keyword = self.parser.parse_keyword(Keyword::COMMENT);
        match self.parser.peek_token_ref().token {
            Token::SingleQuotedString(_) => Ok(Some(self.parser.parse_literal_string()?)),
            _ if keyword => {
                let token = self.parser.peek_token();
                self.parser.expected("a comment in quotes", token)
            }
            _ => Ok(None),
        }
    }

    fn deeper(&mut self) -> Result<(), ParserError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ParserError::RecursionLimitExceeded);
        }
        Ok(())
    }

    fn open(&mut self) -> Result<(), ParserError> {
        self.deeper()?;
        self.parser.expect_token(&Token::Lt).map(|_| ())
    }

    /// One closing bracket; `>>` is one token that closes two types.
    fn close(&mut self) -> Result<(), ParserError> {
        self.depth -= 1;
        if self.open_brackets > 0 {
            self.open_brackets -= 1;
            return Ok(());
        }
        let token = self.parser.next_token();
        match token.token {
            Token::Gt => Ok(()),
            Token::ShiftRight => {
                self.open_brackets = 1;
                Ok(())
            }
            _ => self.parser.expected("> or ,", token),
        }
    }
}

enum Zone {
    Without,
    Local,
    With,
}

fn is_word(token: &Token, expected: &str) -> bool {
    matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case(expected))
}

/// Types of other databases, and what stands for them here.
const FOREIGN: &[(&str, &str)] = &[
    ("SERIAL", "BIGINT; nothing counts up by itself"),
    ("BIGSERIAL", "BIGINT; nothing counts up by itself"),
    ("DATETIME", "TIMESTAMP(3)"),
    ("DATETIME2", "TIMESTAMP(6)"),
    ("TIMESTAMPTZ", "TIMESTAMP_LTZ(6)"),
    ("UUID", "STRING"),
    ("JSON", "STRING, with JSON_VALUE and JSON_QUERY"),
    ("JSONB", "STRING, with JSON_VALUE and JSON_QUERY"),
    ("CLOB", "STRING"),
    ("LONGTEXT", "STRING"),
    ("MEDIUMTEXT", "STRING"),
    ("NVARCHAR", "VARCHAR(n)"),
    ("VARCHAR2", "VARCHAR(n)"),
    ("BLOB", "BYTES"),
    ("BYTEA", "BYTES"),
    ("MONEY", "DECIMAL(18, 2)"),
    ("NUMBER", "DECIMAL(p, s)"),
    ("BIT", "BOOLEAN"),
    ("LONG", "BIGINT"),
    ("STRUCT", "ROW<name TYPE, …>"),
    ("LIST", "ARRAY<TYPE>"),
    ("ENUM", "STRING"),
    ("MEDIUMINT", "INT"),
];

fn unknown_type(word: &Word, token: &TokenWithSpan) -> ParserError {
    let foreign = FOREIGN
        .iter()
        .find(|(name, _)| word.value.eq_ignore_ascii_case(name));
    if let Some((_, instead)) = foreign {
        return error_at(
            &format!("{} is not a type; use {instead}", word.value),
            token.span.start,
        );
    }
    let near = match nearest(&word.value, NAMES.iter().copied()) {
        Some(name) => format!("; did you mean {name}?"),
        None => String::new(),
    };
    error_at(
        &format!("{} is not a type{near}", word.value),
        token.span.start,
    )
}

fn out_of_range(message: &str, token: &TokenWithSpan) -> ParserError {
    error_at(message, token.span.start)
}

/// sqlparser's errors carry their position at the end of the text.
fn error_at(message: &str, location: SqlLocation) -> ParserError {
    ParserError::ParserError(format!("{message}{location}"))
}
