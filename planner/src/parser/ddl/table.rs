//! What stands between the parentheses of CREATE TABLE.

use std::collections::HashSet;

use sqlparser::ast::Ident;
use sqlparser::tokenizer::Token;

use crate::parser::statement::{Column, ColumnKind, Declaration, PrimaryKey, Watermark};
use crate::parser::{Script, names};
use levada_language::error::{Location, PlanError, PlanErrorKind};
use levada_language::types::{Nullable, parse_type};

/// What to do about what a database would check or fill in.
const UNCHECKED: &str = "leave it out: rows are taken as they come; a computed column, such as c AS COALESCE(a, 0), can give a value";

impl Script<'_> {
    /// Adds to the declaration; names without a type are put into `order`.
    pub(super) fn table_elements(
        &mut self,
        declaration: &mut Declaration,
        order: &mut Vec<Ident>,
    ) -> Result<(), PlanError> {
        loop {
            let bare = matches!(
                self.parser.peek_nth_token_ref(1).token,
                Token::Comma | Token::RParen
            );
            if bare && matches!(self.parser.peek_token_ref().token, Token::Word(_)) {
                order.push(self.ident()?);
            } else {
                self.table_element(declaration)?;
            }
            if self.parser.consume_token(&Token::Comma) {
                continue;
            }
            if !self.parser.consume_token(&Token::RParen) {
                return Err(self.expected(", or )"));
            }
            return match order.first() {
                Some(first) if !is_empty(declaration) => Err(PlanError::new(
                    PlanErrorKind::Syntax,
                    format!("column {} has no type", first.value),
                )
                .hint(format!(
                    "write it behind the name, such as {} STRING",
                    first.value
                ))
                .at(Location::of(first.span))),
                _ => Ok(()),
            };
        }
    }

    fn table_element(&mut self, declaration: &mut Declaration) -> Result<(), PlanError> {
        let location = self.location();
        if self.watermark_follows() {
            let watermark = self.watermark()?;
            if declaration.watermark.replace(watermark).is_some() {
                return Err(twice("WATERMARK", location));
            }
            return Ok(());
        }
        if self.constraint_follows() {
            let key = self.constraint()?;
            if declaration.primary_key.replace(key).is_some() {
                return Err(twice("PRIMARY KEY", location));
            }
            return Ok(());
        }
        let (column, key) = self.column()?;
        if let Some(key) = key
            && declaration.primary_key.replace(key).is_some()
        {
            return Err(twice("PRIMARY KEY", location));
        }
        declaration.columns.push(column);
        Ok(())
    }

    pub(super) fn watermark_follows(&self) -> bool {
        let behind_name = self.peek_nth(2, "AS");
        self.peek("WATERMARK") && (self.peek_nth(1, "FOR") || behind_name)
    }

    pub(super) fn constraint_follows(&self) -> bool {
        self.peek("CONSTRAINT")
            || (self.peek("PRIMARY") && self.peek_nth(1, "KEY"))
            || (self.peek("FOREIGN") && self.peek_nth(1, "KEY"))
            || ((self.peek("UNIQUE") || self.peek("CHECK"))
                && self.parser.peek_nth_token_ref(1).token == Token::LParen)
    }

    pub(super) fn watermark(&mut self) -> Result<Watermark, PlanError> {
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
            location: Some(location),
        })
    }

    pub(super) fn constraint(&mut self) -> Result<PrimaryKey, PlanError> {
        let location = self.location();
        let name = if self.take("CONSTRAINT") {
            Some(self.ident()?)
        } else {
            None
        };
        let here = self.location();
        const REFUSED: &[(&[&str], &str)] = &[
            (&["UNIQUE"], "a UNIQUE constraint"),
            (&["FOREIGN"], "a FOREIGN KEY constraint"),
            (&["CHECK"], "a CHECK constraint"),
        ];
        self.refuse(REFUSED, here)
            .map_err(|error| error.hint(UNCHECKED))?;
        self.expect("PRIMARY")?;
        self.expect("KEY")?;
        let columns = self.idents_in_parentheses()?;
        self.not_enforced()?;
        Ok(PrimaryKey {
            name,
            columns,
            location: Some(location),
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

    /// A column, and the key that it is if it says PRIMARY KEY.
    pub(super) fn column(&mut self) -> Result<(Column, Option<PrimaryKey>), PlanError> {
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
            key = Some(PrimaryKey {
                name: None,
                columns: vec![name.clone()],
                location: Some(location),
            });
        }
        const REFUSED: &[(&[&str], &str)] = &[
            (&["DEFAULT"], "a DEFAULT value"),
            (&["UNIQUE"], "a UNIQUE constraint"),
            (&["CHECK"], "a CHECK constraint"),
            (&["REFERENCES"], "a FOREIGN KEY constraint"),
            (&["GENERATED"], "a GENERATED column"),
            (&["AUTO_INCREMENT"], "AUTO_INCREMENT"),
            (&["COLLATE"], "COLLATE"),
        ];
        self.refuse(REFUSED, location)
            .map_err(|error| error.hint(UNCHECKED))?;
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
}

fn is_empty(declaration: &Declaration) -> bool {
    declaration.columns.is_empty()
        && declaration.watermark.is_none()
        && declaration.primary_key.is_none()
}

fn twice(what: &str, location: Location) -> PlanError {
    PlanError::new(
        PlanErrorKind::DuplicateName,
        format!("a table has one {what}, and this is another"),
    )
    .at(Some(location))
}

impl Declaration {
    /// Column names are unique, and every clause names columns that exist. Names in clauses are
    /// replaced by those of the columns, which may differ in case.
    ///
    /// # Errors
    /// A name is declared twice, or a clause names a column that is not there.
    pub fn check(&mut self) -> Result<(), PlanError> {
        let mut seen = HashSet::new();
        for column in &self.columns {
            if !seen.insert(column.name.value.as_str()) {
                return Err(PlanError::new(
                    PlanErrorKind::DuplicateName,
                    format!("column {} is declared twice", column.name.value),
                )
                .at(Location::of(column.name.span)));
            }
        }
        let watermark = self.watermark.iter_mut().map(|w| &mut w.column);
        let key = self.primary_key.iter_mut().flat_map(|k| &mut k.columns);
        for ident in watermark.chain(key).chain(&mut self.partitioned_by) {
            let columns = self.columns.iter().map(|column| column.name.value.as_str());
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
}
