//! Hints: `/*+ NAME(arguments), … */`.
//!
//! The tokenizer drops comments, so hints are collected from the tokens beforehand, each under
//! the position of the token in front of it: a table's name, or SELECT.

use std::collections::BTreeMap;

use sqlparser::parser::Parser;
use sqlparser::tokenizer::{
    Location as SqlLocation, Span, Token, TokenWithSpan, Tokenizer, Whitespace,
};

use super::statement::{Hint, HintArg, TableOption};
use super::syntax;
use levada_language::dialect::LevadaDialect;
use levada_language::error::{Location, PlanError, PlanErrorKind};

/// The hint names that mean something.
const NAMES: &[&str] = &[
    "OPTIONS",
    "STATE_TTL",
    "LOOKUP",
    "BROADCAST",
    "SHUFFLE_HASH",
    "SHUFFLE_MERGE",
    "NEST_LOOP",
];

/// OPTIONS hints by the position of the table name's last word.
pub(super) type TableHints = BTreeMap<Location, Vec<TableOption>>;

/// All hints of a script.
#[derive(Debug, Default)]
pub(super) struct HintsByToken {
    tables: TableHints,
    others: BTreeMap<Location, Vec<Hint>>,
}

impl HintsByToken {
    pub(super) fn collect(tokens: &[TokenWithSpan]) -> Result<Self, PlanError> {
        let mut collected = Self::default();
        let mut previous: Option<&TokenWithSpan> = None;
        for token in tokens {
            match &token.token {
                Token::Whitespace(Whitespace::MultiLineComment(comment)) => {
                    if let Some(body) = comment.strip_prefix('+') {
                        collected.add(parse_hints(body, token.span.start)?, previous, token)?;
                    }
                }
                Token::Whitespace(_) => {}
                _ => previous = Some(token),
            }
        }
        Ok(collected)
    }

    fn add(
        &mut self,
        hints: Vec<Hint>,
        previous: Option<&TokenWithSpan>,
        comment: &TokenWithSpan,
    ) -> Result<(), PlanError> {
        let here = Location::of(comment.span).unwrap_or(Location::START);
        let anchor = previous
            .and_then(|token| Location::of(token.span))
            .unwrap_or(here);
        for hint in hints {
            if hint.name != "OPTIONS" {
                self.others.entry(anchor).or_default().push(hint);
                continue;
            }
            if !previous.is_some_and(|token| matches!(token.token, Token::Word(_))) {
                return Err(misplaced_options(hint.location));
            }
            let options = self.tables.entry(anchor).or_default();
            for arg in hint.args {
                match arg {
                    HintArg::Pair(option) => options.push(option),
                    HintArg::Name(name) => {
                        return Err(PlanError::new(
                            PlanErrorKind::Syntax,
                            format!("OPTIONS takes 'key' = 'value', not {name}"),
                        )
                        .at(Some(hint.location)));
                    }
                }
            }
        }
        Ok(())
    }

    /// Removes the hints of a query that stands between two positions.
    pub(super) fn take_between(
        &mut self,
        start: Location,
        end: Location,
    ) -> (Vec<Hint>, TableHints) {
        let hints = split_range(&mut self.others, start, end);
        let tables = split_range(&mut self.tables, start, end);
        (hints.into_values().flatten().collect(), tables)
    }

    /// Removes the OPTIONS behind the word at `location`.
    pub(super) fn take_table(&mut self, location: Location) -> Vec<TableOption> {
        self.tables.remove(&location).unwrap_or_default()
    }
}

/// The error of OPTIONS that do not follow the name of a table.
pub(super) fn misplaced_options(location: Location) -> PlanError {
    PlanError::new(
        PlanErrorKind::Syntax,
        "the OPTIONS hint must follow the name of a table",
    )
    .at(Some(location))
}

fn split_range<V>(
    map: &mut BTreeMap<Location, V>,
    start: Location,
    end: Location,
) -> BTreeMap<Location, V> {
    let mut taken = map.split_off(&start);
    let mut rest = taken.split_off(&end);
    map.append(&mut rest);
    taken
}

fn parse_hints(body: &str, comment: SqlLocation) -> Result<Vec<Hint>, PlanError> {
    let mut tokens = Tokenizer::new(&LevadaDialect, body)
        .tokenize_with_location()
        .map_err(|error| syntax::from_tokenizer(error, body))?;
    for token in &mut tokens {
        token.span = Span::new(
            shift(token.span.start, comment),
            shift(token.span.end, comment),
        );
    }
    let dialect = LevadaDialect;
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(tokens);
    let mut hints = Vec::new();
    while parser.peek_token_ref().token != Token::EOF {
        hints.push(parse_hint(&mut parser)?);
        // Commas between hints are optional, as in Flink.
        let _ = parser.consume_token(&Token::Comma);
    }
    Ok(hints)
}

/// From a position within the comment's body to one in the script: `/*+` is three characters.
fn shift(location: SqlLocation, comment: SqlLocation) -> SqlLocation {
    if location.line == 1 {
        SqlLocation::new(comment.line, comment.column + 3 + location.column - 1)
    } else {
        SqlLocation::new(comment.line + location.line - 1, location.column)
    }
}

fn parse_hint(parser: &mut Parser<'_>) -> Result<Hint, PlanError> {
    let ident = parser.parse_identifier()?;
    let location = Location::of(ident.span).unwrap_or(Location::START);
    let name = ident.value.to_ascii_uppercase();
    if !NAMES.contains(&name.as_str()) {
        return Err(
            PlanError::new(PlanErrorKind::UnknownName, format!("{name} is not a hint"))
                .suggest(&name, NAMES.iter().copied())
                .at(Some(location)),
        );
    }
    parser.expect_token(&Token::LParen)?;
    let mut args = Vec::new();
    if !parser.consume_token(&Token::RParen) {
        args = parser.parse_comma_separated(parse_arg)?;
        parser.expect_token(&Token::RParen)?;
    }
    Ok(Hint {
        name,
        args,
        location,
    })
}

fn parse_arg(parser: &mut Parser<'_>) -> Result<HintArg, sqlparser::parser::ParserError> {
    let (key, key_location) = parse_word(parser)?;
    if !parser.consume_token(&Token::Eq) {
        return Ok(HintArg::Name(key));
    }
    let (value, value_location) = parse_word(parser)?;
    Ok(HintArg::Pair(TableOption {
        key,
        value,
        key_location: Some(key_location),
        value_location: Some(value_location),
    }))
}

fn parse_word(
    parser: &mut Parser<'_>,
) -> Result<(String, Location), sqlparser::parser::ParserError> {
    let token = parser.next_token();
    let location = Location::of(token.span).unwrap_or(Location::START);
    match token.token {
        Token::SingleQuotedString(text) => Ok((text, location)),
        Token::Word(word) => Ok((word.value, location)),
        Token::Number(digits, _) => Ok((digits, location)),
        _ => parser.expected("a text or a name", token),
    }
}
