//! CREATE and DROP.

mod alter;
mod database;
mod function;
mod materialized;
mod table;

use sqlparser::tokenizer::Token;

use super::Script;
use super::statement::{
    Basis, CreateMode, CreateTable, CreateView, Declaration, Drop, Feature, Like, LikeChoice,
    Merging, ObjectKind, Statement, TableOption,
};
use levada_language::error::{Location, PlanError, PlanErrorKind};

impl Script<'_> {
    pub(super) fn create(&mut self) -> Result<Statement, PlanError> {
        self.expect("CREATE")?;
        let start = self.location();
        let or_replace = self.take_all(&["OR", "REPLACE"]);
        let temporary = self.take("TEMPORARY") || self.take("TEMP");
        let mode = CreateMode {
            or_replace,
            temporary,
            if_not_exists: false,
        };
        let location = self.location();
        if self.take("TABLE") {
            return Ok(Statement::CreateTable(self.create_table(mode)?));
        }
        if self.take("VIEW") {
            return Ok(Statement::CreateView(self.create_view(mode)?));
        }
        if let Some(words) = self.function_word(temporary)? {
            return self.create_function(mode, words);
        }
        if let Some(create) = self.create_materialized(mode, start)? {
            return Ok(create);
        }
        let is_place = ["DATABASE", "SCHEMA", "CATALOG"]
            .iter()
            .any(|word| self.peek(word));
        if is_place && !or_replace && !temporary {
            return self.create_place();
        }
        if is_place {
            return Err(PlanError::new(
                PlanErrorKind::Syntax,
                "a database or a catalog is neither replaced nor temporary",
            )
            .hint("write CREATE DATABASE or CREATE CATALOG, with IF NOT EXISTS if it may be there")
            .at(Some(start)));
        }
        const REFUSED: &[(&[&str], &str)] = &[(&["MODEL"], "CREATE MODEL")];
        self.refuse(REFUSED, location)?;
        const INDEXES: &[(&[&str], &str)] = &[
            (&["INDEX"], "CREATE INDEX"),
            (&["UNIQUE", "INDEX"], "CREATE INDEX"),
        ];
        self.refuse(INDEXES, location).map_err(|error| {
            error.hint("leave it out: what a query looks up is kept by key without being told")
        })?;
        const TABLES: &[(&[&str], &str)] = &[
            (&["EXTERNAL", "TABLE"], "CREATE EXTERNAL TABLE"),
            (&["UNLOGGED", "TABLE"], "CREATE UNLOGGED TABLE"),
            (&["STREAM"], "CREATE STREAM"),
            (&["SOURCE"], "CREATE SOURCE"),
            (&["SINK"], "CREATE SINK"),
        ];
        self.refuse(TABLES, location).map_err(|error| {
            error.hint("write CREATE TABLE … WITH ('connector' = '…'): what is read and what is written are tables")
        })?;
        Err(self.expected("TABLE, VIEW, DATABASE, CATALOG or FUNCTION"))
    }

    /// An Unsupported error if one of the word sequences comes next.
    pub(super) fn refuse(
        &mut self,
        refused: &[(&[&str], &str)],
        location: Location,
    ) -> Result<(), PlanError> {
        for (words, construct) in refused {
            if self.take_all(words) {
                return Err(PlanError::unsupported(construct, Some(location)));
            }
        }
        Ok(())
    }

    fn if_not_exists(&mut self, mode: CreateMode) -> Result<CreateMode, PlanError> {
        let location = self.location();
        let if_not_exists = self.take_all(&["IF", "NOT", "EXISTS"]);
        if if_not_exists && mode.or_replace {
            return Err(PlanError::new(
                PlanErrorKind::InvalidStatement,
                "OR REPLACE and IF NOT EXISTS exclude each other",
            )
            .at(Some(location)));
        }
        Ok(CreateMode {
            if_not_exists,
            ..mode
        })
    }

    fn create_table(&mut self, mode: CreateMode) -> Result<CreateTable, PlanError> {
        let mode = self.if_not_exists(mode)?;
        let name = self.name()?;
        let mut order = Vec::new();
        let mut declaration = Declaration::default();
        if self.parser.consume_token(&Token::LParen) {
            self.table_elements(&mut declaration, &mut order)?;
        }
        declaration.comment = self.optional_comment()?;
        let location = self.location();
        self.refuse(&[(&["DISTRIBUTED"], "DISTRIBUTED BY")], location)?;
        if self.take_all(&["PARTITIONED", "BY"]) {
            declaration.partitioned_by = self.idents_in_parentheses()?;
        }
        if self.take("WITH") {
            declaration.options = self.options()?;
        }
        let basis = self.basis(&mut order)?;
        if let Some(first) = order.first() {
            return Err(PlanError::new(
                PlanErrorKind::Syntax,
                format!("column {} has no type", first.value),
            )
            .hint("types are left out in CREATE TABLE t (a, b) … AS SELECT alone, where all come from the query")
            .at(Location::of(first.span)));
        }
        if matches!(basis, Basis::Nothing) {
            declaration.check()?;
        }
        Ok(CreateTable {
            name,
            mode,
            declaration,
            basis,
        })
    }

    /// LIKE, AS, or nothing. AS takes the names of columns without a type.
    fn basis(&mut self, order: &mut Vec<sqlparser::ast::Ident>) -> Result<Basis, PlanError> {
        if self.take("LIKE") {
            let table = self.name()?;
            let choices = match self.parser.consume_token(&Token::LParen) {
                true => self.like_choices()?,
                false => Vec::new(),
            };
            return Ok(Basis::Like(Like { table, choices }));
        }
        if self.take("AS") {
            self.expect_query()?;
            return Ok(Basis::Query {
                query: Box::new(self.query()?),
                order: std::mem::take(order),
            });
        }
        Ok(Basis::Nothing)
    }

    /// `INCLUDING ALL EXCLUDING OPTIONS …)`.
    fn like_choices(&mut self) -> Result<Vec<LikeChoice>, PlanError> {
        let mut choices: Vec<LikeChoice> = Vec::new();
        while !self.parser.consume_token(&Token::RParen) {
            let location = self.location();
            let merging = if self.take("INCLUDING") {
                Merging::Including
            } else if self.take("EXCLUDING") {
                Merging::Excluding
            } else if self.take("OVERWRITING") {
                Merging::Overwriting
            } else {
                return Err(self.expected("INCLUDING, EXCLUDING, OVERWRITING or )"));
            };
            let feature = self.like_feature()?;
            let whole = matches!(
                feature,
                Feature::All | Feature::Constraints | Feature::Partitions
            );
            let refused = if merging == Merging::Overwriting && whole {
                "what is said of ALL, CONSTRAINTS and PARTITIONS is INCLUDING or EXCLUDING"
            } else if choices.iter().any(|choice| choice.feature == feature) {
                "this is said twice"
            } else {
                choices.push(LikeChoice {
                    merging,
                    feature,
                    location,
                });
                continue;
            };
            return Err(PlanError::new(PlanErrorKind::InvalidStatement, refused).at(Some(location)));
        }
        Ok(choices)
    }

    fn like_feature(&mut self) -> Result<Feature, PlanError> {
        const FEATURES: &[(&str, Feature)] = &[
            ("ALL", Feature::All),
            ("CONSTRAINTS", Feature::Constraints),
            ("PARTITIONS", Feature::Partitions),
            ("GENERATED", Feature::Generated),
            ("METADATA", Feature::Metadata),
            ("OPTIONS", Feature::Options),
            ("WATERMARKS", Feature::Watermarks),
        ];
        for (word, feature) in FEATURES {
            if self.take(word) {
                return Ok(*feature);
            }
        }
        Err(self
            .expected("ALL, CONSTRAINTS, PARTITIONS, GENERATED, METADATA, OPTIONS or WATERMARKS"))
    }

    pub(super) fn optional_comment(&mut self) -> Result<Option<String>, PlanError> {
        if self.take("COMMENT") {
            Ok(Some(self.string("a comment in quotes")?.0))
        } else {
            Ok(None)
        }
    }

    /// `('key' = 'value', …)`.
    pub(super) fn options(&mut self) -> Result<Vec<TableOption>, PlanError> {
        self.expect_token(&Token::LParen)?;
        let mut options: Vec<TableOption> = Vec::new();
        if self.parser.consume_token(&Token::RParen) {
            return Ok(options);
        }
        loop {
            let (key, key_location) = self.string("an option's key in single quotes")?;
            self.expect_token(&Token::Eq)?;
            let (value, value_location) = self.string("an option's value in single quotes")?;
            if options.iter().any(|option| option.key == key) {
                return Err(PlanError::new(
                    PlanErrorKind::DuplicateName,
                    format!("option '{key}' is given twice"),
                )
                .at(Some(key_location)));
            }
            options.push(TableOption {
                key,
                value,
                key_location: Some(key_location),
                value_location: Some(value_location),
            });
            if self.parser.consume_token(&Token::RParen) {
                return Ok(options);
            }
            if !self.parser.consume_token(&Token::Comma) {
                return Err(self.expected(", or )"));
            }
        }
    }

    fn create_view(&mut self, mode: CreateMode) -> Result<CreateView, PlanError> {
        let mode = self.if_not_exists(mode)?;
        let name = self.name()?;
        let columns = if self.parser.peek_token_ref().token == Token::LParen {
            self.idents_in_parentheses()?
        } else {
            Vec::new()
        };
        let comment = self.optional_comment()?;
        self.expect("AS")?;
        self.expect_query()?;
        let query = self.query()?;
        Ok(CreateView {
            name,
            mode,
            columns,
            comment,
            query,
        })
    }

    /// An error unless a query begins here.
    pub(super) fn expect_query(&self) -> Result<(), PlanError> {
        let begins = ["SELECT", "WITH", "VALUES"]
            .iter()
            .any(|word| self.peek(word));
        if begins || self.parser.peek_token_ref().token == Token::LParen {
            return Ok(());
        }
        Err(self.expected("SELECT, WITH or VALUES"))
    }

    pub(super) fn drop(&mut self) -> Result<Statement, PlanError> {
        self.expect("DROP")?;
        let temporary = self.take("TEMPORARY") || self.take("TEMP");
        let location = self.location();
        if let Some(words) = self.function_word(temporary)? {
            return self.drop_function(temporary, words.system);
        }
        let kind = if self.take("TABLE") {
            ObjectKind::Table
        } else if self.take("VIEW") {
            ObjectKind::View
        } else if !temporary && self.take("MATERIALIZED") {
            if !self.take("VIEW") {
                self.expect("TABLE")
                    .map_err(|_| self.expected("VIEW or TABLE"))?;
            }
            ObjectKind::MaterializedView
        } else if !temporary
            && (self.peek("DATABASE") || self.peek("SCHEMA") || self.peek("CATALOG"))
        {
            return self.drop_place();
        } else {
            let refused: &[(&[&str], &str)] =
                &[(&["MODEL"], "DROP MODEL"), (&["INDEX"], "DROP INDEX")];
            self.refuse(refused, location)?;
            let error = self.expected("TABLE, VIEW, DATABASE, CATALOG or FUNCTION");
            return Err(match error.hint_text() {
                Some(_) => error,
                None => error.hint("say what it is that is dropped, as in DROP TABLE t"),
            });
        };
        let if_exists = self.take_all(&["IF", "EXISTS"]);
        let mut names = vec![self.name()?];
        while self.parser.consume_token(&Token::Comma) {
            names.push(self.name()?);
        }
        let location = self.location();
        if self.take("CASCADE") {
            return Err(
                PlanError::unsupported("CASCADE behind a table or view", Some(location))
                    .hint("views that read it stay, and say that it is gone when they are used"),
            );
        }
        Ok(Statement::Drop(Drop {
            kind,
            names,
            if_exists,
            temporary,
        }))
    }
}
