//! SQL over a checkpoint.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use datafusion::datasource::{MemTable, TableProvider};
use levada_engine::connector::ConnectorRegistry;
use levada_engine::time::SystemClock;
use levada_language::types::SqlType;
use levada_language::{PlanError, PlanErrorKind};
use levada_planner::Planner;
use levada_planner::batch::GivenTables;
use levada_planner::catalog::{self, Catalogs};
use levada_planner::logical::Resolver;
use levada_planner::parser::{self, Describe, Query, Show, Statement};
use sqlparser::ast::ObjectName;

use super::names::named;
use super::tables::{KeyedFiles, KeyedTable};
use super::{Inspection, View};
use crate::error::{Error, Result};
use crate::outcome::{Outcome, QueryResult};

/// The tables of a checkpoint.
struct Tables {
    given: GivenTables,
    /// What SHOW TABLES says: name, operator, uid, what it has rows for.
    listed: Vec<[Option<String>; 4]>,
}

impl Inspection {
    /// Runs a statement over the checkpoint's tables: a query, SHOW TABLES or DESCRIBE.
    ///
    /// # Errors
    /// It is wrong or another statement. That files are damaged comes with the rows, or before.
    pub async fn sql(&self, sql: &str) -> Result<Outcome> {
        let statement = parser::parse_one(sql)?;
        let tables = self.tables()?;
        match &statement.statement {
            Statement::Query(query) => tables.query(query).await,
            Statement::Show(Show::Tables(_)) => tables.list(),
            Statement::Describe(Describe::Table(name))
            | Statement::Show(Show::Columns(name, _)) => tables.describe(name),
            _ => Err(PlanError::new(
                PlanErrorKind::Unsupported,
                "state can be queried and not changed",
            )
            .hint("write a SELECT, SHOW TABLES or DESCRIBE")
            .at(Some(statement.location))
            .into()),
        }
    }

    fn tables(&self) -> Result<Tables> {
        let mut tables = Tables {
            given: GivenTables::new(),
            listed: Vec::new(),
        };
        for view in View::ALL {
            let rows = view.rows(&self.manifest)?;
            let table = MemTable::try_new(rows.schema(), vec![vec![rows]])?;
            let what = view.what().to_string();
            tables.add(view.name(), [None, None], what, Arc::new(table));
        }
        let mut files: BTreeMap<&str, Arc<KeyedFiles>> = BTreeMap::new();
        for named in named(&self.manifest) {
            let Some(state) = self.manifest.operators.get(named.uid) else {
                continue;
            };
            let groups = self.manifest.max_parallelism;
            let files = files.entry(named.uid);
            let files =
                files.or_insert_with(|| Arc::new(KeyedFiles::new(&self.store, state, groups)));
            let of = [named.operator, named.uid].map(|text| Some(text.to_string()));
            let what = named.what();
            let table = KeyedTable {
                files: Arc::clone(files),
                table: named.table,
            };
            tables.add(&named.name, of, what, Arc::new(table));
        }
        Ok(tables)
    }
}

impl Tables {
    fn add(
        &mut self,
        name: &str,
        [operator, uid]: [Option<String>; 2],
        what: String,
        table: Arc<dyn TableProvider>,
    ) {
        self.given.insert(name.to_string(), table);
        let listed = [Some(name.to_string()), operator, uid, Some(what)];
        self.listed.push(listed);
    }

    /// Adds which tables there are to an error about one that there is not.
    fn explain(&self, error: PlanError) -> Error {
        if error.kind() != PlanErrorKind::UnknownTable {
            return error.into();
        }
        let known: Vec<&str> = self.given.keys().map(String::as_str).collect();
        error
            .hint(format!("the tables are {}", known.join(", ")))
            .into()
    }

    async fn query(&self, query: &Query) -> Result<Outcome> {
        let planner = Planner::new(
            Arc::new(Catalogs::new()),
            ConnectorRegistry::new(),
            Resolver::new(Arc::new(SystemClock)),
        );
        let rows = planner.query_given(query, &self.given).await;
        let rows = rows.map_err(|error| self.explain(error))?;
        Ok(Outcome::Query(QueryResult::of_batch(rows)))
    }

    fn list(&self) -> Result<Outcome> {
        let column = |at: usize| -> ArrayRef {
            let values = self.listed.iter().map(|row| row[at].clone());
            Arc::new(StringArray::from_iter(values))
        };
        table([
            ("table", column(0)),
            ("operator", column(1)),
            ("uid", column(2)),
            ("rows", column(3)),
        ])
    }

    fn describe(&self, name: &ObjectName) -> Result<Outcome> {
        let at = catalog::location_of(name);
        let schema = match name.0.as_slice() {
            [only] => only.as_ident().and_then(|name| self.schema(&name.value)),
            _ => None,
        };
        let Some(schema) = schema else {
            let message = format!("table {name} does not exist");
            let error = PlanError::new(PlanErrorKind::UnknownTable, message).at(at);
            return Err(self.explain(error));
        };
        let fields = schema.fields();
        let names = fields.iter().map(|field| Some(field.name().clone()));
        let types = fields.iter().map(|field| field.data_type());
        let types = types.map(|t| Some(SqlType::from_arrow(t).to_string()));
        let nullable: Vec<bool> = fields.iter().map(|field| field.is_nullable()).collect();
        table([
            ("name", Arc::new(StringArray::from_iter(names)) as ArrayRef),
            ("type", Arc::new(StringArray::from_iter(types))),
            ("null", Arc::new(BooleanArray::from(nullable))),
        ])
    }

    fn schema(&self, name: &str) -> Option<SchemaRef> {
        let mut tables = self.given.iter();
        let same = |(known, _): &(&String, _)| known.eq_ignore_ascii_case(name);
        tables.find(same).map(|(_, table)| table.schema())
    }
}

fn table<const N: usize>(columns: [(&str, ArrayRef); N]) -> Result<Outcome> {
    Ok(Outcome::Table(RecordBatch::try_from_iter(columns)?))
}
