//! SHOW and DESCRIBE.

use super::Script;
use super::statement::{Describe, Listing, NamePattern, Show, Statement};
use levada_language::error::PlanError;

impl Script<'_> {
    pub(super) fn show(&mut self) -> Result<Statement, PlanError> {
        self.expect("SHOW")?;
        let location = self.location();
        const REFUSED: &[(&[&str], &str)] = &[
            (&["PARTITIONS"], "SHOW PARTITIONS"),
            (&["MODULES"], "SHOW MODULES"),
            (&["FULL", "MODULES"], "SHOW FULL MODULES"),
            (&["JARS"], "SHOW JARS"),
            (&["PROCEDURES"], "SHOW PROCEDURES"),
            (&["MODELS"], "SHOW MODELS"),
            (&["CREATE", "DATABASE"], "SHOW CREATE DATABASE"),
        ];
        self.refuse(REFUSED, location)?;
        Ok(Statement::Show(self.shown()?))
    }

    fn shown(&mut self) -> Result<Show, PlanError> {
        if self.take("TABLES") {
            return Ok(Show::Tables(self.listing()?));
        }
        if self.take("VIEWS") {
            return Ok(Show::Views(self.listing()?));
        }
        if self.take_all(&["MATERIALIZED", "VIEWS"]) || self.take_all(&["MATERIALIZED", "TABLES"]) {
            return Ok(Show::MaterializedViews(self.pattern()?));
        }
        if self.take("DATABASES") || self.take("SCHEMAS") {
            return Ok(Show::Databases(self.listing()?));
        }
        if self.take("CATALOGS") {
            return Ok(Show::Catalogs(self.pattern()?));
        }
        if self.take("FUNCTIONS") {
            return Ok(Show::Functions(self.pattern()?));
        }
        if self.take_all(&["USER", "FUNCTIONS"]) {
            return Ok(Show::UserFunctions(self.pattern()?));
        }
        if self.take("JOBS") {
            return Ok(Show::Jobs);
        }
        if self.take("CURRENT") {
            if self.take("CATALOG") {
                return Ok(Show::CurrentCatalog);
            }
            self.expect("DATABASE")?;
            return Ok(Show::CurrentDatabase);
        }
        if self.take("COLUMNS") {
            if !self.take("FROM") && !self.take("IN") {
                return Err(self.expected("FROM or IN"));
            }
            let table = self.name()?;
            return Ok(Show::Columns(table, self.pattern()?));
        }
        if self.take("CREATE") {
            return self.shown_creation();
        }
        Err(self.expected(
            "TABLES, VIEWS, COLUMNS FROM, CREATE, DATABASES, CATALOGS, CURRENT, FUNCTIONS or JOBS",
        ))
    }

    fn shown_creation(&mut self) -> Result<Show, PlanError> {
        if self.take("TABLE") {
            return Ok(Show::CreateTable(self.name()?));
        }
        if self.take("VIEW") {
            return Ok(Show::CreateView(self.name()?));
        }
        if self.take_all(&["MATERIALIZED", "VIEW"]) || self.take_all(&["MATERIALIZED", "TABLE"]) {
            return Ok(Show::CreateMaterializedView(self.name()?));
        }
        if self.take("CATALOG") {
            return Ok(Show::CreateCatalog(self.ident()?));
        }
        if self.take("FUNCTION") {
            return Ok(Show::CreateFunction(self.name()?));
        }
        Err(self.expected("TABLE, VIEW, CATALOG or FUNCTION"))
    }

    fn listing(&mut self) -> Result<Listing, PlanError> {
        let from = match self.take("FROM") || self.take("IN") {
            true => Some(self.name()?),
            false => None,
        };
        let like = self.pattern()?;
        Ok(Listing { from, like })
    }

    fn pattern(&mut self) -> Result<Option<NamePattern>, PlanError> {
        let negated = self.take("NOT");
        let any_case = self.take("ILIKE");
        if !any_case && !self.take("LIKE") {
            return match negated {
                true => Err(self.expected("LIKE or ILIKE")),
                false => Ok(None),
            };
        }
        let (pattern, _) = self.string("a pattern in single quotes, such as 'order%'")?;
        Ok(Some(NamePattern {
            pattern,
            negated,
            any_case,
        }))
    }

    pub(super) fn describe(&mut self) -> Result<Statement, PlanError> {
        if !self.take("DESCRIBE") {
            self.expect("DESC")?;
        }
        let location = self.location();
        let refused: &[(&[&str], &str)] = &[(&["MODEL"], "DESCRIBE MODEL")];
        self.refuse(refused, location)?;
        Ok(Statement::Describe(self.described()?))
    }

    fn described(&mut self) -> Result<Describe, PlanError> {
        // A table may be called by one of these words too.
        let kind = |script: &mut Self, word: &str| script.names_kind(word) && script.take(word);
        if kind(self, "JOB") {
            let (id, location) = self.string("the job's id in quotes")?;
            return Ok(Describe::Job(id, location));
        }
        if kind(self, "CATALOG") {
            let extended = self.take("EXTENDED");
            let name = self.ident()?;
            return Ok(Describe::Catalog { name, extended });
        }
        if kind(self, "DATABASE") || kind(self, "SCHEMA") {
            let extended = self.take("EXTENDED");
            let name = self.name()?;
            return Ok(Describe::Database { name, extended });
        }
        if kind(self, "FUNCTION") {
            self.take("EXTENDED");
            return Ok(Describe::Function(self.name()?));
        }
        let _ = kind(self, "EXTENDED") || kind(self, "TABLE");
        Ok(Describe::Table(self.name()?))
    }

    /// Whether `word` comes next and something follows it.
    fn names_kind(&self, word: &str) -> bool {
        use sqlparser::tokenizer::Token;
        let behind = &self.parser.peek_nth_token_ref(1).token;
        self.peek(word) && !matches!(behind, Token::SemiColon | Token::EOF | Token::Period)
    }
}
