//! SQL text to [`Statement`]s.
//!
//! ```text
//!   text ──tokenizer──▶ tokens ──grammar──▶ Statement with sqlparser trees ──rewrite──▶ Statement
//! ```
//!
//! [`parse`] reads a whole script. Queries and expressions are read by sqlparser under
//! [`LevadaDialect`]; statements have a grammar of their own here ([`ddl`], [`dml`],
//! [`show`], [`command`]), on sqlparser's tokens, which know their position. [`rewrite`] then turns
//! what DataFusion's SQL planner does not know into what it does. No SQL is ever rewritten
//! as text.

mod advice;
mod command;
mod ddl;
mod depth;
mod dml;
mod hints;
pub mod names;
pub mod rewrite;
mod show;
mod source;
mod statement;
mod syntax;
#[cfg(test)]
mod tests;

use sqlparser::ast::{Expr, Ident, ObjectName};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

pub use statement::*;

use hints::HintsByToken;
use levada_language::dialect::{
    LevadaDialect, clause_words, pattern, peek_nth_word, peek_word, take_word,
};
use levada_language::error::{Location, PlanError, PlanErrorKind, nearest};
use source::Source;

/// Nested parentheses, subqueries and expressions go at most this deep.
const RECURSION_LIMIT: usize = 128;

/// Reads all statements of a script. Empty statements are skipped.
///
/// # Errors
/// The first thing that is not a statement of this dialect, with its position in `sql`.
pub fn parse(sql: &str) -> Result<Vec<ParsedStatement>, PlanError> {
    let mut script = Script::new(sql)?;
    let mut statements = Vec::new();
    while let Some(statement) = script.next_statement()? {
        statements.push(statement);
    }
    Ok(statements)
}

/// Reads a single statement; a semicolon may follow it.
///
/// # Errors
/// See [`parse`]; also when there is none, or more than one.
pub fn parse_one(sql: &str) -> Result<ParsedStatement, PlanError> {
    let mut statements = parse(sql)?.into_iter();
    match (statements.next(), statements.next()) {
        (Some(statement), None) => Ok(statement),
        (Some(_), Some(second)) => Err(PlanError::new(
            PlanErrorKind::Syntax,
            "one statement is expected here, and another follows",
        )
        .at(Some(second.location))),
        _ => Err(PlanError::new(
            PlanErrorKind::Syntax,
            "there is no statement",
        )),
    }
}

/// Reads an expression that is the whole of `sql`, such as a computed column's.
///
/// # Errors
/// The text is not an expression, or something follows it.
pub fn parse_expression(sql: &str) -> Result<Expression, PlanError> {
    let mut script = Script::new(sql)?;
    let expression = script.expression()?;
    script.expect_end()?;
    Ok(expression)
}

/// Whether the last statement of `sql` has its semicolon, so that a shell need not wait for
/// more lines. Semicolons in texts, comments and statement sets do not count.
pub fn is_complete(sql: &str) -> bool {
    let sql = without_mark(sql);
    let Ok(tokens) = Tokenizer::new(&LevadaDialect, sql).tokenize_with_location() else {
        return false;
    };
    let words: Vec<String> = tokens
        .iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(_)))
        .map(|token| token.token.to_string().to_ascii_uppercase())
        .collect();
    let mut in_set = false;
    for window in words.windows(3) {
        match window {
            [a, b, c] if a == "BEGIN" && b == "STATEMENT" && c == "SET" => in_set = true,
            [a, b, c] if a == "STATEMENT" && b == "SET" && c == "BEGIN" => in_set = true,
            [a, b, c] if a == ";" && b == "END" && c == ";" => in_set = false,
            _ => {}
        }
    }
    !in_set && words.last().is_some_and(|last| last == ";")
}

/// The text without the byte order mark that some editors put in front.
fn without_mark(sql: &str) -> &str {
    sql.strip_prefix('\u{feff}').unwrap_or(sql)
}

/// The reader of one script: a cursor over its tokens.
struct Script<'a> {
    source: Source<'a>,
    parser: Parser<'a>,
    hints: HintsByToken,
}

impl<'a> Script<'a> {
    fn new(sql: &'a str) -> Result<Self, PlanError> {
        static DIALECT: LevadaDialect = LevadaDialect;
        let sql = without_mark(sql);
        let tokens = Tokenizer::new(&DIALECT, sql)
            .tokenize_with_location()
            .map_err(|error| syntax::from_tokenizer(error, sql))?;
        let tokens = pattern::arrange(tokens)?;
        depth::check_tokens(&tokens)?;
        let hints = HintsByToken::collect(&tokens)?;
        let parser = Parser::new(&DIALECT)
            .with_recursion_limit(RECURSION_LIMIT)
            .with_tokens_with_locations(tokens);
        Ok(Self {
            source: Source::new(sql),
            parser,
            hints,
        })
    }

    /// The next statement, its semicolon consumed; `None` at the end of the script.
    fn next_statement(&mut self) -> Result<Option<ParsedStatement>, PlanError> {
        while self.parser.consume_token(&Token::SemiColon) {}
        if self.parser.peek_token_ref().token == Token::EOF {
            return Ok(None);
        }
        let location = self.location();
        let statement = self
            .statement()
            .map_err(|error| self.advised(error.or_at(Some(self.location()))))?;
        let text = self.text_since(location);
        self.expect_end_of_statement()
            .map_err(|error| self.advised(error))?;
        Ok(Some(ParsedStatement {
            statement,
            text,
            location,
        }))
    }

    /// One statement, by its first word.
    fn statement(&mut self) -> Result<Statement, PlanError> {
        let token = self.parser.peek_token();
        let first = match &token.token {
            Token::Word(word) if word.quote_style.is_none() => word.value.to_ascii_uppercase(),
            Token::LParen => "SELECT".to_string(),
            _ => return Err(self.not_a_statement(&token)),
        };
        match first.as_str() {
            "SELECT" | "WITH" | "VALUES" => Ok(Statement::Query(self.query()?)),
            "CREATE" => self.create(),
            "DROP" => self.drop(),
            "ALTER" => self.alter(),
            "INSERT" => Ok(Statement::Insert(self.insert()?)),
            "EXECUTE" | "BEGIN" => Ok(Statement::StatementSet(self.statement_set()?)),
            "EXPLAIN" => self.explain(),
            "SHOW" => self.show(),
            "DESCRIBE" | "DESC" => self.describe(),
            "SET" => self.set(),
            "RESET" => self.reset(),
            "USE" => self.use_object(),
            "STOP" => self.stop_job(),
            _ => Err(self.not_a_statement(&token)),
        }
    }

    /// The error that a statement cannot begin so.
    fn not_a_statement(&self, token: &TokenWithSpan) -> PlanError {
        const KNOWN: &[&str] = &[
            "SELECT", "WITH", "VALUES", "CREATE", "DROP", "ALTER", "INSERT", "EXECUTE", "BEGIN",
            "EXPLAIN", "SHOW", "DESCRIBE", "SET", "RESET", "USE", "STOP",
        ];
        let at = Location::of(token.span);
        let found = token.token.to_string();
        let upper = found.to_ascii_uppercase();
        if let Some((_, hint)) = advice::REFUSED.iter().find(|(word, _)| *word == upper) {
            let error = PlanError::unsupported(format!("the statement {upper}"), at);
            return match hint {
                Some(hint) => error.hint(*hint),
                None => error,
            };
        }
        let error = PlanError::new(
            PlanErrorKind::Syntax,
            format!("{found} does not begin a statement"),
        )
        .at(at);
        match nearest(&found, KNOWN.iter().copied()) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => {
                error.hint("statements begin with SELECT, INSERT, CREATE, SET, SHOW, EXPLAIN …")
            }
        }
    }

    /// Where the next token stands; at the end, where the text ends.
    fn location(&self) -> Location {
        let token = self.parser.peek_token_ref();
        Location::of(token.span).unwrap_or_else(|| self.source.end())
    }

    /// The last token that was consumed, blank space and comments aside.
    fn last_token(&self) -> &TokenWithSpan {
        let mut index = self.parser.index();
        loop {
            index = index.saturating_sub(1);
            let token = self.parser.token_at(index);
            if index == 0 || !matches!(token.token, Token::Whitespace(_)) {
                return token;
            }
        }
    }

    /// The text from `start` to the last token that was consumed.
    fn text_since(&self, start: Location) -> String {
        let end = Location::from_sql(self.last_token().span.end);
        let end = end.unwrap_or_else(|| self.source.end());
        self.source.slice(start, end).to_string()
    }

    fn take(&mut self, word: &str) -> bool {
        take_word(&mut self.parser, word)
    }

    fn take_all(&mut self, words: &[&str]) -> bool {
        levada_language::dialect::take_words(&mut self.parser, words)
    }

    fn peek(&self, word: &str) -> bool {
        peek_word(&self.parser, word)
    }

    fn peek_nth(&self, n: usize, word: &str) -> bool {
        peek_nth_word(&self.parser, n, word)
    }

    fn expect(&mut self, word: &str) -> Result<(), PlanError> {
        if self.take(word) {
            return Ok(());
        }
        Err(self.expected(word))
    }

    fn expect_token(&mut self, token: &Token) -> Result<(), PlanError> {
        if self.parser.consume_token(token) {
            return Ok(());
        }
        Err(self.expected(&token.to_string()))
    }

    /// The error that `what` is expected where the next token stands.
    fn expected(&self, what: &str) -> PlanError {
        let token = self.parser.peek_token_ref();
        let error = syntax::expected(what, &token.token).at(Some(self.location()));
        let Token::Word(word) = &token.token else {
            return error;
        };
        let words = what.split(|c: char| !c.is_alphanumeric() && c != '_');
        // A word that is what is expected but for its case or its quotes is no slip.
        let others = words.filter(|w| w.len() > 2 && !w.eq_ignore_ascii_case(&word.value));
        match nearest(&word.value, others) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error,
        }
    }

    fn name(&mut self) -> Result<ObjectName, PlanError> {
        match self.parser.peek_token_ref().token {
            Token::Word(_) => Ok(self.parser.parse_object_name(false)?),
            _ => Err(self.expected("a name")),
        }
    }

    fn ident(&mut self) -> Result<Ident, PlanError> {
        match self.parser.peek_token_ref().token {
            Token::Word(_) => Ok(self.parser.parse_identifier()?),
            _ => Err(self.expected("a name")),
        }
    }

    fn string(&mut self, what: &str) -> Result<(String, Location), PlanError> {
        let location = self.location();
        match self.parser.peek_token_ref().token {
            Token::SingleQuotedString(_) => Ok((self.parser.parse_literal_string()?, location)),
            _ => Err(self.expected(what)),
        }
    }

    fn idents_in_parentheses(&mut self) -> Result<Vec<Ident>, PlanError> {
        self.expect_token(&Token::LParen)?;
        let mut idents = vec![self.ident()?];
        while self.parser.consume_token(&Token::Comma) {
            idents.push(self.ident()?);
        }
        self.expect_token(&Token::RParen)?;
        Ok(idents)
    }

    fn expression(&mut self) -> Result<Expression, PlanError> {
        let location = self.location();
        let first = self.parser.index();
        let mut ast: Expr = self
            .parser
            .parse_expr()
            .map_err(|error| self.syntax_error(error, first))?;
        let text = self.text_since(location);
        depth::bound(&mut ast)?;
        rewrite::expression(&mut ast)?;
        Ok(Expression {
            ast,
            text,
            location: Some(location),
        })
    }

    fn query(&mut self) -> Result<Query, PlanError> {
        let location = self.location();
        let first = self.parser.index();
        let mut ast = self
            .parser
            .parse_query()
            .map_err(|error| self.syntax_error(error, first))?;
        self.expect_end_of_query(first)?;
        let text = self.text_since(location);
        let end = self.location();
        let (hints, table_hints) = self.hints.take_between(location, end);
        depth::bound(&mut ast)?;
        let hinted_tables = rewrite::query(&mut ast, table_hints)?;
        Ok(Query {
            ast,
            text,
            location,
            hinted_tables,
            hints,
        })
    }

    fn expect_end_of_query(&self, first: usize) -> Result<(), PlanError> {
        match self.parser.peek_token_ref().token {
            Token::SemiColon | Token::EOF => Ok(()),
            _ => {
                if self.peek("WITH")
                    && let Some(word) = ["ROLLUP", "CUBE", "TOTALS"]
                        .into_iter()
                        .find(|word| self.peek_nth(1, word))
                {
                    let at = Some(self.location());
                    return Err(PlanError::unsupported(format!("WITH {word}"), at)
                        .hint("use GROUP BY ROLLUP (…) or GROUP BY CUBE (…)"));
                }
                let error = self.expected("the end of the statement");
                let lone = ["GROUP", "ORDER"]
                    .into_iter()
                    .find(|word| self.peek(word) && !self.peek_nth(1, "BY"));
                Err(match lone {
                    Some(word) => error.hint(format!("did you mean {word} BY?")),
                    None => self.with_slip_before(error, first),
                })
            }
        }
    }

    fn expect_end_of_statement(&mut self) -> Result<(), PlanError> {
        if self.parser.consume_token(&Token::SemiColon) {
            return Ok(());
        }
        self.expect_end()
    }

    fn expect_end(&self) -> Result<(), PlanError> {
        match self.parser.peek_token_ref().token {
            Token::EOF => Ok(()),
            _ => Err(self.expected("the end of the statement")),
        }
    }

    /// A mistyped keyword is often read as an alias, and the error comes one word later:
    /// `SELECT a FRM t`. If the word before looks like a keyword, says so.
    fn with_slip_before(&self, error: PlanError, first: usize) -> PlanError {
        if error.hint_text().is_some() || self.parser.index() <= first + 1 {
            return error;
        }
        let last = self.last_token();
        match &last.token {
            Token::Word(word) if word.quote_style.is_none() => {
                let upper = word.value.to_ascii_uppercase();
                match nearest(&upper, clause_words()).filter(|near| *near != upper) {
                    Some(near) => {
                        let at = Location::of(last.span);
                        error
                            .hint(format!("did you mean {near} instead of {}?", word.value))
                            .at(at)
                    }
                    None => error,
                }
            }
            _ => error,
        }
    }
}
