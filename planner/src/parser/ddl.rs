//! CREATE and DROP.

use std::collections::HashSet;

use sqlparser::tokenizer::Token;

use super::statement::{
    Column, ColumnKind, CreateMode, CreateTable, CreateView, Drop, ObjectKind, PrimaryKey,
    Statement, TableOption, Watermark,
};
use super::{Script, names};
use levada_language::error::{Location, PlanError, PlanErrorKind};
use levada_language::types::{Nullable, parse_type};

/// What stands between the parentheses of CREATE TABLE.
#[derive(Default)]
struct Elements {
    columns: Vec<Column>,
    watermark: Option<Watermark>,
    primary_key: Option<PrimaryKey>,
}

impl Script<'_> {
    pub(super) fn create(&mut self) -> Result<Statement, PlanError> {
        self.expect("CREATE")?;
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
        const REFUSED: &[(&[&str], &str)] = &[
            (&["SYSTEM", "FUNCTION"], "CREATE SYSTEM FUNCTION"),
            (&["FUNCTION"], "CREATE FUNCTION"),
            (&["CATALOG"], "CREATE CATALOG"),
            (&["DATABASE"], "CREATE DATABASE"),
            (&["SCHEMA"], "CREATE SCHEMA"),
            (&["MATERIALIZED", "TABLE"], "CREATE MATERIALIZED TABLE"),
            (&["MATERIALIZED", "VIEW"], "CREATE MATERIALIZED VIEW"),
            (&["MODEL"], "CREATE MODEL"),
            (&["EXTERNAL", "TABLE"], "CREATE EXTERNAL TABLE"),
            (&["INDEX"], "CREATE INDEX"),
        ];
        self.refuse(REFUSED, location)?;
        Err(self.expected("TABLE or VIEW"))
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
        let mut elements = Elements::default();
        if self.parser.consume_token(&Token::LParen) {
            elements = self.table_elements()?;
        }
        let comment = self.optional_comment()?;
        let mut partitioned_by = Vec::new();
        let location = self.location();
        if self.take_all(&["PARTITIONED", "BY"]) {
            partitioned_by = self.idents_in_parentheses()?;
        }
        let refused: &[(&[&str], &str)] = &[
            (&["DISTRIBUTED"], "DISTRIBUTED BY"),
            (&["LIKE"], "CREATE TABLE … LIKE"),
            (&["AS"], "CREATE TABLE … AS SELECT"),
        ];
        self.refuse(refused, location)?;
        let options = if self.take("WITH") {
            self.options()?
        } else {
            Vec::new()
        };
        let location = self.location();
        self.refuse(refused, location)?;
        let mut table = CreateTable {
            name,
            mode,
            columns: elements.columns,
            watermark: elements.watermark,
            primary_key: elements.primary_key,
            comment,
            partitioned_by,
            options,
        };
        check_table(&mut table)?;
        Ok(table)
    }

    fn table_elements(&mut self) -> Result<Elements, PlanError> {
        let mut elements = Elements::default();
        loop {
            self.table_element(&mut elements)?;
            if self.parser.consume_token(&Token::Comma) {
                continue;
            }
            if self.parser.consume_token(&Token::RParen) {
                return Ok(elements);
            }
            return Err(self.expected(", or )"));
        }
    }

    fn table_element(&mut self, elements: &mut Elements) -> Result<(), PlanError> {
        let location = self.location();
        if self.peek("WATERMARK") && self.peek_nth(1, "FOR") {
            let watermark = self.watermark()?;
            if elements.watermark.replace(watermark).is_some() {
                return Err(twice("WATERMARK", location));
            }
            return Ok(());
        }
        let constraint = self.peek("CONSTRAINT")
            || (self.peek("PRIMARY") && self.peek_nth(1, "KEY"))
            || (self.peek("UNIQUE") && self.parser.peek_nth_token_ref(1).token == Token::LParen);
        if constraint {
            let key = self.constraint()?;
            if elements.primary_key.replace(key).is_some() {
                return Err(twice("PRIMARY KEY", location));
            }
            return Ok(());
        }
        let (column, key) = self.column()?;
        if let Some(location) = key {
            let key = PrimaryKey {
                name: None,
                columns: vec![column.name.clone()],
                location,
            };
            if elements.primary_key.replace(key).is_some() {
                return Err(twice("PRIMARY KEY", location));
            }
        }
        elements.columns.push(column);
        Ok(())
    }

    fn watermark(&mut self) -> Result<Watermark, PlanError> {
        let location = self.location();
        self.expect("WATERMARK")?;
        self.expect("FOR")?;
        let column = self.ident()?;
        if self.parser.peek_token_ref().token == Token::Period {
            return Err(PlanError::unsupported(
                "a watermark for a field of a ROW column",
                Some(self.location()),
            )
            .hint("declare a computed column for the field, and the watermark for that column"));
        }
        self.expect("AS")?;
        let expression = self.expression()?;
        Ok(Watermark {
            column,
            expression,
            location,
        })
    }

    fn constraint(&mut self) -> Result<PrimaryKey, PlanError> {
        let location = self.location();
        let name = if self.take("CONSTRAINT") {
            Some(self.ident()?)
        } else {
            None
        };
        let here = self.location();
        let refused: &[(&[&str], &str)] = &[
            (&["UNIQUE"], "a UNIQUE constraint"),
            (&["FOREIGN"], "a FOREIGN KEY constraint"),
            (&["CHECK"], "a CHECK constraint"),
        ];
        self.refuse(refused, here)?;
        self.expect("PRIMARY")?;
        self.expect("KEY")?;
        let columns = self.idents_in_parentheses()?;
        self.not_enforced()?;
        Ok(PrimaryKey {
            name,
            columns,
            location,
        })
    }

    /// NOT ENFORCED must be said: no one checks that keys are unique in a stream.
    fn not_enforced(&mut self) -> Result<(), PlanError> {
        if self.take_all(&["NOT", "ENFORCED"]) {
            return Ok(());
        }
        let error = if self.peek("ENFORCED") {
            PlanError::unsupported("an enforced PRIMARY KEY", Some(self.location()))
        } else {
            self.expected("NOT ENFORCED")
        };
        Err(error
            .hint("write PRIMARY KEY (…) NOT ENFORCED: the source is trusted to keep keys unique"))
    }

    /// A column, and where it says PRIMARY KEY if it does.
    fn column(&mut self) -> Result<(Column, Option<Location>), PlanError> {
        let name = self.ident()?;
        if self.take("AS") {
            let kind = ColumnKind::Computed(self.expression()?);
            let comment = self.optional_comment()?;
            return Ok((
                Column {
                    name,
                    kind,
                    comment,
                },
                None,
            ));
        }
        let data_type = self.column_type()?;
        let kind = if self.take("METADATA") {
            let key = if self.take("FROM") {
                Some(self.string("the metadata key in quotes")?.0)
            } else {
                None
            };
            ColumnKind::Metadata {
                data_type,
                key,
                is_virtual: self.take("VIRTUAL"),
            }
        } else {
            ColumnKind::Physical(data_type)
        };
        let location = self.location();
        let mut key = None;
        if self.take_all(&["PRIMARY", "KEY"]) {
            self.not_enforced()?;
            key = Some(location);
        }
        let refused: &[(&[&str], &str)] = &[
            (&["DEFAULT"], "a DEFAULT value"),
            (&["UNIQUE"], "a UNIQUE constraint"),
            (&["CHECK"], "a CHECK constraint"),
            (&["REFERENCES"], "a FOREIGN KEY constraint"),
            (&["GENERATED"], "a GENERATED column"),
        ];
        self.refuse(refused, location)?;
        let comment = self.optional_comment()?;
        Ok((
            Column {
                name,
                kind,
                comment,
            },
            key,
        ))
    }

    fn column_type(&mut self) -> Result<Nullable, PlanError> {
        match self.parser.peek_token_ref().token {
            Token::Word(_) => Ok(parse_type(&mut self.parser)?),
            _ => Err(self.expected("a type, or AS and an expression")),
        }
    }

    fn optional_comment(&mut self) -> Result<Option<String>, PlanError> {
        if self.take("COMMENT") {
            Ok(Some(self.string("a comment in quotes")?.0))
        } else {
            Ok(None)
        }
    }

    /// `('key' = 'value', …)`.
    fn options(&mut self) -> Result<Vec<TableOption>, PlanError> {
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
                key_location,
                value_location,
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
        let kind = if self.take("TABLE") {
            ObjectKind::Table
        } else if self.take("VIEW") {
            ObjectKind::View
        } else {
            let refused: &[(&[&str], &str)] = &[
                (&["SYSTEM", "FUNCTION"], "DROP SYSTEM FUNCTION"),
                (&["FUNCTION"], "DROP FUNCTION"),
                (&["CATALOG"], "DROP CATALOG"),
                (&["DATABASE"], "DROP DATABASE"),
                (&["MATERIALIZED"], "DROP MATERIALIZED TABLE"),
                (&["MODEL"], "DROP MODEL"),
            ];
            self.refuse(refused, location)?;
            return Err(self.expected("TABLE or VIEW"));
        };
        let if_exists = self.take_all(&["IF", "EXISTS"]);
        let name = self.name()?;
        Ok(Statement::Drop(Drop {
            kind,
            name,
            if_exists,
            temporary,
        }))
    }
}

fn twice(what: &str, location: Location) -> PlanError {
    PlanError::new(
        PlanErrorKind::DuplicateName,
        format!("a table has one {what}, and this is another"),
    )
    .at(Some(location))
}

/// Column names are unique, and every clause names columns that exist. Names in clauses are
/// replaced by those of the columns, which may differ in case.
fn check_table(table: &mut CreateTable) -> Result<(), PlanError> {
    let mut names = HashSet::new();
    for column in &table.columns {
        if !names.insert(column.name.value.as_str()) {
            return Err(PlanError::new(
                PlanErrorKind::DuplicateName,
                format!("column {} is declared twice", column.name.value),
            )
            .at(Location::of(column.name.span)));
        }
    }
    let watermark = table
        .watermark
        .iter_mut()
        .map(|watermark| &mut watermark.column);
    let key = table
        .primary_key
        .iter_mut()
        .flat_map(|key| &mut key.columns);
    for ident in watermark.chain(key).chain(&mut table.partitioned_by) {
        let columns = table
            .columns
            .iter()
            .map(|column| column.name.value.as_str());
        let found = names::resolve(&ident.value, columns.clone()).ok_or_else(|| {
            PlanError::new(
                PlanErrorKind::UnknownColumn,
                format!("column {} does not exist in this table", ident.value),
            )
            .suggest(&ident.value, columns)
            .at(Location::of(ident.span))
        })?;
        ident.value = found.to_string();
    }
    Ok(())
}
