//! CREATE, ALTER and DROP of databases and catalogs.

use crate::parser::Script;
use crate::parser::statement::{DefineCatalog, DefineDatabase, PropertyChange, Statement};
use levada_language::error::PlanError;

impl Script<'_> {
    /// What follows CREATE where a database or a catalog does.
    pub(super) fn create_place(&mut self) -> Result<Statement, PlanError> {
        let is_catalog = self.catalog_word()?;
        let if_not_exists = self.take_all(&["IF", "NOT", "EXISTS"]);
        if is_catalog {
            let name = self.ident()?;
            let comment = self.optional_comment()?;
            let options = self.with_options()?;
            return Ok(Statement::Catalog(DefineCatalog::Create {
                name,
                if_not_exists,
                comment,
                options,
            }));
        }
        let name = self.name()?;
        let comment = self.optional_comment()?;
        let properties = self.with_options()?;
        Ok(Statement::Database(DefineDatabase::Create {
            name,
            if_not_exists,
            comment,
            properties,
        }))
    }

    /// Reads CATALOG (true), DATABASE or SCHEMA, which is what PostgreSQL calls a database.
    fn catalog_word(&mut self) -> Result<bool, PlanError> {
        if self.take("CATALOG") {
            return Ok(true);
        }
        if self.take("SCHEMA") {
            return Ok(false);
        }
        self.expect("DATABASE").map(|()| false)
    }

    fn with_options(&mut self) -> Result<Vec<crate::parser::TableOption>, PlanError> {
        match self.take("WITH") {
            true => self.options(),
            false => Ok(Vec::new()),
        }
    }

    pub(super) fn alter_place(&mut self) -> Result<Statement, PlanError> {
        if self.catalog_word()? {
            let name = self.ident()?;
            let change = self.property_change(true)?;
            return Ok(Statement::Catalog(DefineCatalog::Alter { name, change }));
        }
        let name = self.name()?;
        let change = self.property_change(false)?;
        Ok(Statement::Database(DefineDatabase::Alter { name, change }))
    }

    fn property_change(&mut self, is_catalog: bool) -> Result<PropertyChange, PlanError> {
        if self.take("SET") {
            return Ok(PropertyChange::Set(self.options()?));
        }
        if self.take("RESET") {
            return Ok(PropertyChange::Reset(self.option_keys()?));
        }
        if is_catalog && self.take("COMMENT") {
            return Ok(PropertyChange::Comment(
                self.string("a comment in quotes")?.0,
            ));
        }
        Err(self.expected("SET or RESET"))
    }

    /// What follows DROP where a database or a catalog does.
    pub(super) fn drop_place(&mut self) -> Result<Statement, PlanError> {
        let is_catalog = self.catalog_word()?;
        let if_exists = self.take_all(&["IF", "EXISTS"]);
        if is_catalog {
            let name = self.ident()?;
            return Ok(Statement::Catalog(DefineCatalog::Drop { name, if_exists }));
        }
        let name = self.name()?;
        let cascade = self.take("CASCADE");
        let _ = self.take("RESTRICT");
        Ok(Statement::Database(DefineDatabase::Drop {
            name,
            if_exists,
            cascade,
        }))
    }
}
