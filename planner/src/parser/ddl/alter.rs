//! ALTER.

use sqlparser::tokenizer::Token;

use crate::parser::Script;
use crate::parser::statement::{Alter, ColumnPlace, Element, Statement, TableChange, ViewChange};
use levada_language::error::{Location, PlanError};

impl Script<'_> {
    pub(in crate::parser) fn alter(&mut self) -> Result<Statement, PlanError> {
        self.expect("ALTER")?;
        let location = self.location();
        let temporary = self.take("TEMPORARY");
        if let Some(words) = self.function_word(temporary)? {
            return self.alter_function(temporary, words);
        }
        if temporary {
            return Err(self.expected("FUNCTION or SYSTEM FUNCTION"));
        }
        if self.take("TABLE") {
            let if_exists = self.take_all(&["IF", "EXISTS"]);
            let name = self.name()?;
            let change = self.table_change()?;
            return Ok(Statement::Alter(Alter::Table {
                name,
                if_exists,
                change,
            }));
        }
        if self.take("VIEW") {
            let if_exists = self.take_all(&["IF", "EXISTS"]);
            let name = self.name()?;
            let change = self.view_change()?;
            return Ok(Statement::Alter(Alter::View {
                name,
                if_exists,
                change,
            }));
        }
        if self.peek("DATABASE") || self.peek("SCHEMA") || self.peek("CATALOG") {
            return self.alter_place();
        }
        let refused: &[(&[&str], &str)] = &[
            (&["MATERIALIZED"], "ALTER of a materialized view"),
            (&["MODEL"], "ALTER MODEL"),
            (&["SYSTEM"], "ALTER SYSTEM"),
        ];
        self.refuse(refused, location)?;
        Err(self.expected("TABLE, VIEW, DATABASE, CATALOG or FUNCTION"))
    }

    fn table_change(&mut self) -> Result<TableChange, PlanError> {
        let location = self.location();
        if self.take("RENAME") {
            return self.rename();
        }
        if self.take("SET") {
            return Ok(TableChange::Set(self.options()?));
        }
        if self.take("RESET") {
            return Ok(TableChange::Reset(self.option_keys()?));
        }
        const REFUSED: &[(&[&str], &str)] = &[
            (&["ADD", "PARTITION"], "ALTER TABLE … ADD PARTITION"),
            (&["ADD", "DISTRIBUTION"], "ALTER TABLE … ADD DISTRIBUTION"),
            (
                &["MODIFY", "DISTRIBUTION"],
                "ALTER TABLE … MODIFY DISTRIBUTION",
            ),
            (&["DROP", "PARTITION"], "ALTER TABLE … DROP PARTITION"),
            (&["DROP", "DISTRIBUTION"], "ALTER TABLE … DROP DISTRIBUTION"),
            (&["COMPACT"], "ALTER TABLE … COMPACT"),
            (&["PARTITION"], "ALTER TABLE … PARTITION"),
            (&["OWNER"], "ALTER TABLE … OWNER"),
        ];
        self.refuse(REFUSED, location)?;
        if self.take("ADD") {
            let _ = self.take("COLUMN");
            return Ok(TableChange::Add(self.altered_elements()?));
        }
        if self.take("MODIFY") {
            let _ = self.take("COLUMN");
            return Ok(TableChange::Modify(self.altered_elements()?));
        }
        if self.take("DROP") {
            return self.dropped_part();
        }
        if self.take("ALTER") {
            return Err(
                PlanError::unsupported("ALTER COLUMN", Some(self.location()))
                    .hint("write ALTER TABLE … MODIFY column type")
                    .at(Some(location)),
            );
        }
        Err(self.expected("RENAME, ADD, MODIFY, DROP, SET or RESET"))
    }

    /// `RENAME TO name` or `RENAME column TO column`.
    fn rename(&mut self) -> Result<TableChange, PlanError> {
        if self.take("TO") {
            return Ok(TableChange::Rename(self.name()?));
        }
        let _ = self.take("COLUMN");
        let from = self.ident()?;
        self.expect("TO")?;
        let to = self.ident()?;
        Ok(TableChange::RenameColumn { from, to })
    }

    fn dropped_part(&mut self) -> Result<TableChange, PlanError> {
        let location = self.location();
        if self.take_all(&["PRIMARY", "KEY"]) {
            return Ok(TableChange::DropPrimaryKey(None, location));
        }
        if self.take("CONSTRAINT") {
            let name = self.ident()?;
            return Ok(TableChange::DropPrimaryKey(Some(name), location));
        }
        if self.take("WATERMARK") {
            return Ok(TableChange::DropWatermark(location));
        }
        let _ = self.take("COLUMN");
        if self.parser.peek_token_ref().token == Token::LParen {
            return Ok(TableChange::DropColumns(self.idents_in_parentheses()?));
        }
        Ok(TableChange::DropColumns(vec![self.ident()?]))
    }

    /// One element, or several in parentheses.
    fn altered_elements(&mut self) -> Result<Vec<Element>, PlanError> {
        let mut elements = Vec::new();
        if !self.parser.consume_token(&Token::LParen) {
            self.altered_element(&mut elements)?;
            return Ok(elements);
        }
        loop {
            self.altered_element(&mut elements)?;
            if self.parser.consume_token(&Token::RParen) {
                return Ok(elements);
            }
            if !self.parser.consume_token(&Token::Comma) {
                return Err(self.expected(", or )"));
            }
        }
    }

    fn altered_element(&mut self, elements: &mut Vec<Element>) -> Result<(), PlanError> {
        if self.watermark_follows() {
            elements.push(Element::Watermark(self.watermark()?));
            return Ok(());
        }
        if self.constraint_follows() {
            elements.push(Element::PrimaryKey(self.constraint()?));
            return Ok(());
        }
        let (column, key) = self.column()?;
        let place = if self.take("FIRST") {
            Some(ColumnPlace::First)
        } else if self.take("AFTER") {
            Some(ColumnPlace::After(self.ident()?))
        } else {
            None
        };
        elements.push(Element::Column(Box::new(column), place));
        elements.extend(key.map(Element::PrimaryKey));
        Ok(())
    }

    fn view_change(&mut self) -> Result<ViewChange, PlanError> {
        if self.take("RENAME") {
            self.expect("TO")?;
            return Ok(ViewChange::Rename(self.name()?));
        }
        if self.take("AS") {
            self.expect_query()?;
            return Ok(ViewChange::Query(Box::new(self.query()?)));
        }
        Err(self.expected("RENAME TO or AS"))
    }

    /// `('key', …)`, each with where it stands.
    pub(super) fn option_keys(&mut self) -> Result<Vec<(String, Location)>, PlanError> {
        self.expect_token(&Token::LParen)?;
        let mut keys = Vec::new();
        loop {
            keys.push(self.string("an option's key in single quotes")?);
            if self.parser.consume_token(&Token::RParen) {
                return Ok(keys);
            }
            if !self.parser.consume_token(&Token::Comma) {
                return Err(self.expected(", or )"));
            }
        }
    }
}
