//! Where a syntax error really is, and how it is told.

use sqlparser::parser::ParserError;
use sqlparser::tokenizer::{Token, TokenizerError};

use super::Script;
use levada_language::error::{Location, PlanError, PlanErrorKind};

/// A limit on the work that goes into placing an error.
const SUBQUERIES_READ_AGAIN: usize = 16;

pub(super) fn from_tokenizer(error: TokenizerError, sql: &str) -> PlanError {
    let message = error.message.trim_end_matches('.');
    let syntax = |message: &str| {
        let at = Location::from_sql(error.location);
        PlanError::new(PlanErrorKind::Syntax, message).at(at)
    };
    if message.contains("Unterminated string literal") {
        syntax("the string that begins here has no closing quote")
            .hint("a single quote within a text is written twice, as in 'it''s'")
    } else if message.contains("multi-line comment") {
        syntax("the comment that begins here has no closing */").at(open_comment(sql))
    } else if message.contains("close delimiter") {
        syntax("the quoted name that begins here has no closing quote")
            .hint("texts stand in single quotes, names in backticks or double quotes")
    } else {
        syntax(message)
    }
}

/// Where the comment begins that is open at the end of the text.
fn open_comment(sql: &str) -> Option<Location> {
    let mut location = Location::START;
    let mut quote: Option<char> = None;
    let mut comments: Vec<Location> = Vec::new();
    let mut in_line = false;
    let mut characters = sql.chars().peekable();
    while let Some(c) = characters.next() {
        let next = characters.peek().copied();
        let here = location;
        match c {
            '\n' => {
                location = Location {
                    line: location.line + 1,
                    column: 0,
                };
                in_line = false;
            }
            _ if in_line => {}
            _ if quote.is_some() => quote = quote.filter(|open| *open != c),
            '/' if next == Some('*') => {
                comments.push(here);
                characters.next();
                location.column += 1;
            }
            '*' if next == Some('/') && !comments.is_empty() => {
                comments.pop();
                characters.next();
                location.column += 1;
            }
            _ if !comments.is_empty() => {}
            '-' if next == Some('-') => in_line = true,
            '\'' | '"' | '`' => quote = Some(c),
            _ => {}
        }
        location.column += 1;
    }
    comments.first().copied()
}

/// `expected what, found token`.
pub(super) fn expected(what: &str, found: &Token) -> PlanError {
    PlanError::new(
        PlanErrorKind::Syntax,
        format!("expected {what}, found {}", describe(found)),
    )
}

fn describe(token: &Token) -> String {
    match token {
        Token::EOF => "the end of the text".to_string(),
        Token::SemiColon => "the end of the statement".to_string(),
        other => other.to_string(),
    }
}

impl Script<'_> {
    /// The error of the query or expression that begins at token `first`, where it really is.
    ///
    /// sqlparser tries a parenthesis in FROM first as a subquery and then as a join; when both
    /// fail it reports the second. So the subqueries up to the reported token are read again by
    /// themselves, and the error that lies furthest on is the one to show.
    pub(super) fn syntax_error(&mut self, error: ParserError, first: usize) -> PlanError {
        let outer = PlanError::from(error);
        let end = self.source.end();
        let reported = outer.location().unwrap_or(end);
        let last = self.token_index(reported);
        let outer = match last {
            Some(index) => self.at_token_found(outer, index),
            None => outer.at(Some(reported)),
        };
        let starts: Vec<usize> = (first + 1..)
            .take_while(|index| match last {
                Some(last) => *index <= last,
                None => self.parser.token_at(*index).token != Token::EOF,
            })
            .filter(|index| self.begins_subquery(*index))
            .take(SUBQUERIES_READ_AGAIN)
            .collect();
        let mut worst = outer;
        for start in starts {
            if let Some(inner) = self.subquery_error(start)
                && inner.location().unwrap_or(end) >= worst.location().unwrap_or(end)
            {
                worst = inner;
            }
        }
        worst
    }

    /// Whether the token at `index` is the first of a query in parentheses.
    fn begins_subquery(&self, index: usize) -> bool {
        let begins = matches!(
            &self.parser.token_at(index).token,
            Token::Word(word) if word.quote_style.is_none()
                && ["SELECT", "WITH", "VALUES"].iter().any(|w| word.value.eq_ignore_ascii_case(w))
        );
        begins
            && (0..index)
                .rev()
                .map(|before| &self.parser.token_at(before).token)
                .find(|token| !matches!(token, Token::Whitespace(_)))
                == Some(&Token::LParen)
    }

    /// The error of the query in parentheses whose first token is at `start`, if it has one.
    fn subquery_error(&mut self, start: usize) -> Option<PlanError> {
        self.seek(start);
        match self.parser.parse_query() {
            Err(error) => {
                let error = PlanError::from(error);
                let Some(index) = error.location().and_then(|at| self.token_index(at)) else {
                    let end = self.source.end();
                    return Some(error.or_at(Some(end)));
                };
                Some(self.at_token_found(error, index))
            }
            Ok(_) if self.parser.peek_token_ref().token == Token::RParen => None,
            Ok(_) => {
                let error = self.expected(")");
                Some(self.with_slip_before(error, start))
            }
        }
    }

    /// The index of the token that begins at `location`.
    pub(super) fn token_index(&self, location: Location) -> Option<usize> {
        (0..)
            .map(|index| (index, self.parser.token_at(index)))
            .take_while(|(_, token)| token.token != Token::EOF)
            .find(|(_, token)| {
                Location::of(token.span) == Some(location)
                    && !matches!(token.token, Token::Whitespace(_))
            })
            .map(|(index, _)| index)
    }

    /// Some of sqlparser's errors name one token and point at the next: points at the named one.
    fn at_token_found(&self, error: PlanError, reported: usize) -> PlanError {
        let named = |token: &Token| error.message().ends_with(&format!(", found {token}"));
        if named(&self.parser.token_at(reported).token) {
            return error;
        }
        let before = (0..reported)
            .rev()
            .map(|index| self.parser.token_at(index))
            .find(|token| !matches!(token.token, Token::Whitespace(_)));
        match before {
            Some(token) if named(&token.token) => error.at(Location::of(token.span)),
            _ => error,
        }
    }

    fn seek(&mut self, index: usize) {
        while self.parser.index() > index {
            self.parser.prev_token();
        }
        while self.parser.index() < index {
            self.parser.advance_token();
        }
    }
}
