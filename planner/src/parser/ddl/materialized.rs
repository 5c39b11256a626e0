//! CREATE MATERIALIZED VIEW, also as MATERIALIZED TABLE.

use sqlparser::tokenizer::Token;

use crate::parser::Script;
use crate::parser::statement::{CreateMaterializedView, CreateMode, Statement};
use levada_language::error::{Location, PlanError, PlanErrorKind};

impl Script<'_> {
    /// What follows CREATE, if that is a materialized view.
    pub(super) fn create_materialized(
        &mut self,
        mode: CreateMode,
        start: Location,
    ) -> Result<Option<Statement>, PlanError> {
        if !self.take("MATERIALIZED") {
            return Ok(None);
        }
        if !self.take("VIEW") {
            self.expect("TABLE")
                .map_err(|_| self.expected("VIEW or TABLE"))?;
        }
        if mode.or_replace || mode.temporary {
            return Err(PlanError::new(
                PlanErrorKind::InvalidStatement,
                "a materialized view is neither replaced nor temporary: it is a job",
            )
            .hint("drop it with DROP MATERIALIZED VIEW, and create it anew")
            .at(Some(start)));
        }
        let mode = self.if_not_exists(mode)?;
        let name = self.name()?;
        let columns = match self.parser.peek_token_ref().token {
            Token::LParen => self.idents_in_parentheses()?,
            _ => Vec::new(),
        };
        let comment = self.optional_comment()?;
        let location = self.location();
        const REFUSED: &[(&[&str], &str)] = &[
            (&["PARTITIONED"], "PARTITIONED BY of a materialized view"),
            (&["DISTRIBUTED"], "DISTRIBUTED BY of a materialized view"),
        ];
        self.refuse(REFUSED, location)?;
        self.refuse(&[(&["WITH"], "a materialized view in a connector's table")], location)
            .map_err(|error| {
                error.hint("leave WITH out: its rows are state of its job; or INSERT INTO a table with a connector")
            })?;
        let freshness_ms = match self.take("FRESHNESS") {
            true => Some(self.freshness()?),
            false => None,
        };
        self.refresh_mode()?;
        self.expect("AS")?;
        self.expect_query()?;
        let query = self.query()?;
        Ok(Some(Statement::CreateMaterializedView(
            CreateMaterializedView {
                name,
                if_not_exists: mode.if_not_exists,
                columns,
                comment,
                freshness_ms,
                query,
            },
        )))
    }

    /// `= INTERVAL '3' SECOND`, in milliseconds.
    fn freshness(&mut self) -> Result<u64, PlanError> {
        self.expect_token(&Token::Eq)?;
        self.expect("INTERVAL")?;
        let (number, at) = self.string("a number in single quotes")?;
        let units = [
            ("SECOND", 1_000),
            ("MINUTE", 60_000),
            ("HOUR", 3_600_000),
            ("DAY", 86_400_000),
        ];
        let unit = units.into_iter().find(|(unit, _)| self.take(unit));
        let Some((_, factor)) = unit else {
            return Err(self.expected("SECOND, MINUTE, HOUR or DAY"));
        };
        let number = number.trim().parse::<u64>().ok().filter(|n| *n > 0);
        let freshness = number.and_then(|number| number.checked_mul(factor));
        freshness.ok_or_else(|| {
            PlanError::new(
                PlanErrorKind::InvalidOption,
                "FRESHNESS is a whole number of units, and at least one",
            )
            .hint("write FRESHNESS = INTERVAL '3' SECOND")
            .at(Some(at))
        })
    }

    /// `REFRESH_MODE = CONTINUOUS`, which is what there is.
    fn refresh_mode(&mut self) -> Result<(), PlanError> {
        if !self.take("REFRESH_MODE") {
            return Ok(());
        }
        self.expect_token(&Token::Eq)?;
        let location = self.location();
        if self.take("FULL") {
            return Err(
                PlanError::unsupported("REFRESH_MODE = FULL", Some(location))
                    .hint("leave it out: materialized views are kept up to date all the time"),
            );
        }
        self.expect("CONTINUOUS")
    }
}
