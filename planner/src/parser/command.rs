//! Statements about the session and its jobs: SET, RESET, USE, STOP JOB.

use sqlparser::tokenizer::Token;

use super::Script;
use super::statement::{Set, Statement, StopJob, Use};
use levada_language::error::PlanError;

impl Script<'_> {
    /// `SET`, `SET 'key' = 'value'` or `SET key = value`.
    pub(super) fn set(&mut self) -> Result<Statement, PlanError> {
        self.expect("SET")?;
        if self.at_end() {
            return Ok(Statement::Set(Set::List));
        }
        let location = self.location();
        let key = self.key()?;
        let value = self
            .expect_token(&Token::Eq)
            .and_then(|()| self.value())
            .map_err(|error| {
                error.hint("write SET 'name' = 'value'; SET alone lists what is set")
            })?;
        Ok(Statement::Set(Set::Value {
            key,
            value,
            location,
        }))
    }

    pub(super) fn reset(&mut self) -> Result<Statement, PlanError> {
        self.expect("RESET")?;
        if self.at_end() {
            return Ok(Statement::Reset(None));
        }
        let location = self.location();
        Ok(Statement::Reset(Some((self.key()?, location))))
    }

    fn at_end(&self) -> bool {
        matches!(
            self.parser.peek_token_ref().token,
            Token::SemiColon | Token::EOF
        )
    }

    /// A configuration key, in quotes or bare: `a.b-c`.
    fn key(&mut self) -> Result<String, PlanError> {
        if let Token::SingleQuotedString(_) = self.parser.peek_token_ref().token {
            return Ok(self.string("a key")?.0);
        }
        let start = self.location();
        if !matches!(self.parser.peek_token_ref().token, Token::Word(_)) {
            return Err(self.expected("a configuration key, such as 'parallelism.default'"));
        }
        while matches!(
            self.parser.peek_token_ref().token,
            Token::Word(_) | Token::Period | Token::Minus | Token::Number(_, _)
        ) {
            self.parser.advance_token();
        }
        Ok(self.text_since(start))
    }

    /// A configuration value, in quotes or bare up to the end of the statement.
    fn value(&mut self) -> Result<String, PlanError> {
        if let Token::SingleQuotedString(_) = self.parser.peek_token_ref().token {
            return Ok(self.string("a value")?.0);
        }
        if self.at_end() {
            return Err(self.expected("a value in quotes"));
        }
        let start = self.location();
        while !self.at_end() {
            self.parser.advance_token();
        }
        Ok(self.text_since(start))
    }

    pub(super) fn use_object(&mut self) -> Result<Statement, PlanError> {
        self.expect("USE")?;
        let location = self.location();
        if self.take("CATALOG") {
            return Ok(Statement::Use(Use::Catalog(self.ident()?)));
        }
        self.refuse(&[(&["MODULES"], "USE MODULES")], location)?;
        let follows = matches!(self.parser.peek_nth_token_ref(1).token, Token::Word(_));
        let _ = follows && self.take("DATABASE");
        Ok(Statement::Use(Use::Database(self.name()?)))
    }

    pub(super) fn stop_job(&mut self) -> Result<Statement, PlanError> {
        self.expect("STOP")?;
        self.expect("JOB")?;
        let (id, location) = self.string("the job's id in quotes")?;
        let mut stop = StopJob {
            id,
            with_savepoint: false,
            with_drain: false,
            location,
        };
        while self.take("WITH") {
            if self.take("SAVEPOINT") {
                stop.with_savepoint = true;
            } else if self.take("DRAIN") {
                stop.with_drain = true;
            } else {
                return Err(self.expected("SAVEPOINT or DRAIN"));
            }
        }
        Ok(Statement::StopJob(stop))
    }
}
