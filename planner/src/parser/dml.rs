//! INSERT, statement sets and EXPLAIN.

use sqlparser::tokenizer::Token;

use super::Script;
use super::statement::{Explain, ExplainDetail, ExplainTarget, Insert, Statement};
use levada_language::error::{Location, PlanError, PlanErrorKind};

impl Script<'_> {
    pub(super) fn insert(&mut self) -> Result<Insert, PlanError> {
        let location = self.location();
        self.expect("INSERT")?;
        let overwrite = self.take("OVERWRITE");
        if !overwrite && !self.take("INTO") {
            return Err(self
                .expected("INTO or OVERWRITE")
                .hint("write INSERT INTO t SELECT …"));
        }
        // INSERT INTO TABLE t is a habit from Hive.
        let _ = self.take("TABLE");
        let table = self.name()?;
        let last_word = Location::of(self.last_token().span);
        let options = last_word.map_or_else(Vec::new, |at| self.hints.take_table(at));
        let partition = if self.take("PARTITION") {
            self.partition()?
        } else {
            Vec::new()
        };
        let columns = if self.column_list_follows() {
            self.idents_in_parentheses()?
        } else {
            Vec::new()
        };
        self.expect_query()?;
        let query = self.query()?;
        Ok(Insert {
            table,
            options,
            columns,
            partition,
            overwrite,
            query,
            text: self.text_since(location),
            location,
        })
    }

    /// A parenthesis after the table's name is a column list unless a query begins in it.
    fn column_list_follows(&self) -> bool {
        self.parser.peek_token_ref().token == Token::LParen
            && matches!(self.parser.peek_nth_token_ref(1).token, Token::Word(_))
            && !["SELECT", "WITH", "VALUES"]
                .iter()
                .any(|word| self.peek_nth(1, word))
    }

    /// `(column = value, …)`.
    fn partition(
        &mut self,
    ) -> Result<Vec<(sqlparser::ast::Ident, super::statement::Expression)>, PlanError> {
        self.expect_token(&Token::LParen)?;
        let mut values = Vec::new();
        loop {
            let column = self.ident()?;
            self.expect_token(&Token::Eq)?;
            values.push((column, self.expression()?));
            if self.parser.consume_token(&Token::RParen) {
                return Ok(values);
            }
            self.expect_token(&Token::Comma)?;
        }
    }

    /// `EXECUTE STATEMENT SET BEGIN …; END` or `BEGIN STATEMENT SET; …; END`.
    pub(super) fn statement_set(&mut self) -> Result<Vec<Insert>, PlanError> {
        let location = self.location();
        if self.take("EXECUTE") {
            if self.peek("INSERT") {
                // EXECUTE INSERT … is INSERT …, a set of one.
                return Ok(vec![self.insert()?]);
            }
            self.expect("STATEMENT")?;
            self.expect("SET")?;
            self.expect("BEGIN")?;
        } else {
            self.statement_set_head()?;
            self.expect_token(&Token::SemiColon)?;
        }
        let mut inserts = Vec::new();
        loop {
            while self.parser.consume_token(&Token::SemiColon) {}
            if self.take("END") {
                break;
            }
            if !self.peek("INSERT") {
                return Err(self.expected("INSERT or END"));
            }
            inserts.push(self.insert()?);
            self.expect_token(&Token::SemiColon)?;
        }
        if inserts.is_empty() {
            return Err(PlanError::new(
                PlanErrorKind::InvalidStatement,
                "the statement set is empty",
            )
            .at(Some(location)));
        }
        Ok(inserts)
    }

    fn statement_set_head(&mut self) -> Result<(), PlanError> {
        self.expect("BEGIN")?;
        self.expect("STATEMENT")?;
        self.expect("SET")
    }

    pub(super) fn explain(&mut self) -> Result<Statement, PlanError> {
        self.expect("EXPLAIN")?;
        let mut details = Vec::new();
        if !self.take_all(&["PLAN", "FOR"]) {
            while let Some(detail) = self.explain_detail() {
                details.push(detail);
                if !self.parser.consume_token(&Token::Comma) {
                    break;
                }
            }
        }
        let target = if self.peek("INSERT") {
            ExplainTarget::Insert(Box::new(self.insert()?))
        } else if self.take_all(&["STATEMENT", "SET", "BEGIN"]) {
            ExplainTarget::StatementSet(self.explained_set()?)
        } else if self.peek("EXECUTE") || self.peek("BEGIN") {
            ExplainTarget::StatementSet(self.statement_set()?)
        } else if self.expect_query().is_ok() {
            ExplainTarget::Query(self.query()?)
        } else {
            return Err(self.expected(
                "CHANGELOG_MODE, ESTIMATED_COST, LOGICAL, JOB GRAPH, PLAN FOR, a query or INSERT",
            ));
        };
        Ok(Statement::Explain(Explain { details, target }))
    }

    fn explain_detail(&mut self) -> Option<ExplainDetail> {
        if self.take("CHANGELOG_MODE") {
            Some(ExplainDetail::ChangelogMode)
        } else if self.take("ESTIMATED_COST") {
            Some(ExplainDetail::EstimatedCost)
        } else if self.take("LOGICAL") {
            Some(ExplainDetail::Logical)
        } else if self.take("JSON_EXECUTION_PLAN") {
            Some(ExplainDetail::JsonExecutionPlan)
        } else if self.take_all(&["JOB", "GRAPH"]) {
            Some(ExplainDetail::JobGraph)
        } else {
            None
        }
    }

    /// The inserts after `EXPLAIN STATEMENT SET BEGIN`.
    fn explained_set(&mut self) -> Result<Vec<Insert>, PlanError> {
        let mut inserts = Vec::new();
        while !self.take("END") {
            if !self.peek("INSERT") {
                return Err(self.expected("INSERT or END"));
            }
            inserts.push(self.insert()?);
            self.expect_token(&Token::SemiColon)?;
        }
        Ok(inserts)
    }
}
