//! What DataFusion's SQL planner asks about tables and functions.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Result as DataFusionResult, TableReference};
use datafusion::logical_expr::planner::{
    ContextProvider, ExprPlanner, RelationPlanner, TypePlanner,
};
use datafusion::logical_expr::{
    AggregateUDF, HigherOrderUDF, LogicalPlan, LogicalPlanBuilder, ScalarUDF, TableSource,
    WindowUDF,
};
use datafusion::prelude::Expr;
use datafusion::sql::planner::SqlToRel;
use levada_engine::connector::{ConnectorRegistry, LookupCache};
use sqlparser::ast::{Ident, ObjectName, Statement};

use super::source::{CatalogTable, ViewTable};
use super::{Resolver, inline, patterns, refuse, unnest};
use crate::catalog::{self, Catalogs, Lookup, Object, Table, View};
use crate::materialized::as_view;
use crate::parser::names::{self, FoundTable, TableNames};
use crate::parser::{HintedTable, Query};
use crate::streaming::source_factory;
use levada_language::error::{PlanError, PlanErrorKind};
use levada_language::types::SqlTypePlanner;

/// Views within views go at most this deep.
const VIEW_DEPTH: usize = 64;

/// Files that a query names directly (`FROM 'data/*.parquet'`), by their path.
pub type FileTables = BTreeMap<String, Arc<dyn TableSource>>;

static NOTHING: LazyLock<Catalogs> = LazyLock::new(Catalogs::new);
static NO_FILES: FileTables = BTreeMap::new();

/// Tables and functions for one query.
pub struct QueryContext<'a> {
    lookup: Lookup<'a>,
    resolver: &'a Resolver,
    files: &'a FileTables,
    hinted: &'a [HintedTable],
    streaming: bool,
    /// Who is asked what tables can do.
    connectors: Option<&'a ConnectorRegistry>,
    /// Names of the views that are being expanded.
    views: Vec<String>,
    /// The views that were expanded, which is asked for more than once.
    expanded: RefCell<BTreeMap<String, Arc<dyn TableSource>>>,
}

impl<'a> QueryContext<'a> {
    /// A context for `query`. `streaming` says that views must hold only what streams can do.
    pub fn new(
        lookup: Lookup<'a>,
        resolver: &'a Resolver,
        files: &'a FileTables,
        query: &'a Query,
        streaming: bool,
    ) -> Self {
        QueryContext {
            lookup,
            resolver,
            files,
            hinted: &query.hinted_tables,
            streaming,
            connectors: None,
            views: Vec::new(),
            expanded: RefCell::default(),
        }
    }

    /// The same where connectors say which tables can be asked by key.
    #[must_use]
    pub fn with_connectors(mut self, connectors: &'a ConnectorRegistry) -> Self {
        self.connectors = Some(connectors);
        self
    }

    /// The same for the query of the view `name`, which must not refer to itself.
    #[must_use]
    pub fn for_view(mut self, name: &str) -> Self {
        self.views.push(name.to_string());
        self
    }

    /// A context without tables, for expressions that stand alone.
    pub(super) fn without_tables(resolver: &'a Resolver) -> Self {
        QueryContext {
            lookup: NOTHING.lookup(),
            resolver,
            files: &NO_FILES,
            hinted: &[],
            streaming: true,
            connectors: None,
            views: Vec::new(),
            expanded: RefCell::default(),
        }
    }

    /// Functions and types.
    pub fn resolver(&self) -> &'a Resolver {
        self.resolver
    }

    /// Whether streams will run the query.
    pub(super) fn is_streaming(&self) -> bool {
        self.streaming
    }

    /// What is kept of a table that can be asked by key; `None` if it can only be read.
    ///
    /// # Errors
    /// The connector refuses the table's options.
    pub(super) fn lookup_of(&self, table: &Table) -> Result<Option<LookupCache>, PlanError> {
        match self.connectors {
            Some(connectors) => Ok(source_factory(table, connectors)?.lookup()),
            None => Ok(None),
        }
    }

    fn table(&self, name: &TableReference) -> Result<Arc<dyn TableSource>, PlanError> {
        if let Some(hinted) = self.hinted.iter().find(|h| h.alias == name.table()) {
            let table = self.lookup.find_table(&hinted.name)?;
            let table = catalog::with_options(&table, &hinted.options)?;
            return Ok(Arc::new(CatalogTable::new(table)));
        }
        if let Some(file) = self.files.get(name.table()) {
            return Ok(Arc::clone(file));
        }
        let written = object_name(name);
        match self.lookup.get(&written)? {
            Some((path, Object::Table(table))) => match table.is_materialized_view() {
                true if self.streaming => self.view(&as_view(&path, &table)?),
                _ => Ok(Arc::new(CatalogTable::new(table))),
            },
            Some((_, Object::View(view))) => self.view(&view),
            None => Err(self.unknown(&written, name.table())),
        }
    }

    fn view(&self, view: &View) -> Result<Arc<dyn TableSource>, PlanError> {
        if let Some(known) = self.expanded.borrow().get(&view.name) {
            return Ok(Arc::clone(known));
        }
        let source: Arc<dyn TableSource> = Arc::new(ViewTable::new(self.expand(view)?));
        let mut expanded = self.expanded.borrow_mut();
        expanded.insert(view.name.clone(), Arc::clone(&source));
        Ok(source)
    }

    /// The plan of a query as DataFusion reads it, windows still being markers.
    pub(super) fn plan(&self, query: &Query) -> Result<LogicalPlan, PlanError> {
        let mut ast = query.ast.clone();
        let plain = inline::inline(&mut ast, &self.lookup, self.resolver);
        let planned = plain.and_then(|()| names::resolve_query(&mut ast, self));
        let planned = planned.and_then(|()| {
            let sql = SqlToRel::new_with_options(self, self.resolver.parser_options());
            Ok(sql.sql_statement_to_plan(Statement::Query(ast))?)
        });
        planned.map_err(|error| {
            let error = inline::about_argument(error, query, &self.lookup, self.resolver);
            super::advice::placed(error, query)
        })
    }

    fn unknown(&self, written: &ObjectName, name: &str) -> PlanError {
        let error = self.lookup.unknown(written);
        let looks_like_file = name.contains('/') || name.contains('*') || name.contains('.');
        if looks_like_file && self.streaming {
            return error.hint(
                "files can be read without CREATE TABLE in batch mode: \
                 SET 'execution.runtime-mode' = 'batch'",
            );
        }
        error
    }

    fn expand(&self, view: &View) -> Result<LogicalPlan, PlanError> {
        if self.views.len() >= VIEW_DEPTH || self.views.contains(&view.name) {
            return Err(PlanError::new(
                PlanErrorKind::InvalidStatement,
                format!("view {} refers to itself", view.name),
            ));
        }
        let mut views = self.views.clone();
        views.push(view.name.clone());
        let inner = QueryContext {
            lookup: self.lookup.from(&view.place),
            resolver: self.resolver,
            files: self.files,
            hinted: &view.query.hinted_tables,
            streaming: self.streaming,
            connectors: self.connectors,
            views,
            expanded: RefCell::default(),
        };
        let planned = match self.streaming {
            true => refuse::refuse_for_streams(self.resolver, &view.query),
            false => Ok(()),
        }
        .and_then(|()| super::plan(&inner, &view.query))
        .map_err(|error| in_view(&error, view))?;
        let planned = as_created(planned, view)?;
        rename_columns(planned, view)
    }
}

/// The columns of a view's query.
///
/// # Errors
/// The query is wrong, for instance because a table was dropped.
pub fn schema_of_view(
    lookup: Lookup<'_>,
    resolver: &Resolver,
    connectors: &ConnectorRegistry,
    view: &View,
) -> Result<SchemaRef, PlanError> {
    let context = QueryContext {
        lookup,
        ..QueryContext::without_tables(resolver)
    };
    let context = QueryContext {
        streaming: false,
        connectors: Some(connectors),
        ..context
    };
    Ok(context.expand(view)?.schema().inner().clone())
}

fn object_name(name: &TableReference) -> ObjectName {
    let parts = [name.catalog(), name.schema(), Some(name.table())];
    let idents: Vec<Ident> = parts.into_iter().flatten().map(Ident::new).collect();
    ObjectName::from(idents)
}

/// The columns that the view had when it was created: a table that has got others since does not
/// change what `*` stands for.
fn as_created(plan: LogicalPlan, view: &View) -> Result<LogicalPlan, PlanError> {
    let columns = plan.schema().columns();
    let names = columns.iter().map(|column| &column.name);
    if view.shown.is_empty() || names.clone().eq(&view.shown) {
        return Ok(plan);
    }
    let mut kept = Vec::new();
    for name in &view.shown {
        let mut found = columns.iter().filter(|column| column.name == *name);
        match (found.next(), found.next()) {
            (Some(column), None) => kept.push(Expr::Column(column.clone())),
            _ => {
                return Err(PlanError::new(
                    PlanErrorKind::UnknownColumn,
                    format!("view {} has lost its column {name}", view.name),
                )
                .detail("a table that it reads was altered, or dropped and created anew")
                .hint("create the view again with CREATE OR REPLACE VIEW"));
            }
        }
    }
    Ok(LogicalPlanBuilder::from(plan).project(kept)?.build()?)
}

/// An error of a view's query: its position is one of another text, so it becomes a detail.
fn in_view(error: &PlanError, view: &View) -> PlanError {
    let detail = match error.location() {
        Some(at) => format!(
            "in view {}, at {at} of the statement that created it",
            view.name
        ),
        None => format!("in view {}", view.name),
    };
    let outer = PlanError::new(error.kind(), error.message()).detail(match error.detail_text() {
        Some(inner) => format!("{detail}; {inner}"),
        None => detail,
    });
    match error.hint_text() {
        Some(hint) => outer.hint(hint),
        None => outer,
    }
}

/// Applies the column list of CREATE VIEW.
fn rename_columns(plan: LogicalPlan, view: &View) -> Result<LogicalPlan, PlanError> {
    if view.columns.is_empty() {
        return Ok(plan);
    }
    let schema = Arc::clone(plan.schema());
    if schema.fields().len() != view.columns.len() {
        return Err(PlanError::new(
            PlanErrorKind::InvalidStatement,
            format!(
                "view {} names {} columns, and its query has {}",
                view.name,
                view.columns.len(),
                schema.fields().len()
            ),
        ));
    }
    let renamed = schema
        .columns()
        .into_iter()
        .zip(&view.columns)
        .map(|(column, name)| Expr::Column(column).alias(name));
    Ok(LogicalPlanBuilder::from(plan).project(renamed)?.build()?)
}

impl TableNames for QueryContext<'_> {
    fn find(&self, name: &[&str]) -> Option<FoundTable> {
        let reference = match name {
            [table] => TableReference::bare(*table),
            [schema, table] => TableReference::partial(*schema, *table),
            [catalog, schema, table] => TableReference::full(*catalog, *schema, *table),
            _ => return None,
        };
        // An error is reported when DataFusion asks for the table, with the position.
        let source = self.table(&reference).ok()?;
        let (last, before) = name.split_last()?;
        let written = object_name(&reference);
        let name = match self.lookup.get(&written) {
            Ok(Some((path, _))) => {
                let parts = [path.place.catalog, path.place.database, path.name];
                // As many parts as were written, each as it is called.
                parts.into_iter().skip(2 - before.len()).collect()
            }
            _ => before
                .iter()
                .chain([last])
                .map(|part| (*part).to_string())
                .collect(),
        };
        Some(FoundTable {
            name,
            schema: source.schema(),
        })
    }
}

impl ContextProvider for QueryContext<'_> {
    fn get_table_source(&self, name: TableReference) -> DataFusionResult<Arc<dyn TableSource>> {
        Ok(self.table(&name)?)
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.resolver.expr_planners()
    }

    fn get_relation_planners(&self) -> &[Arc<dyn RelationPlanner>] {
        &unnest::PLANNERS
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::new(SqlTypePlanner))
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        let functions = self.resolver.state().scalar_functions();
        let known = functions.get(&name.to_ascii_lowercase()).cloned();
        known
            .or_else(|| patterns::function(name))
            .or_else(|| self.resolver.module_function(name))
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        let functions = self.resolver.state().higher_order_functions();
        functions.get(&name.to_ascii_lowercase()).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        let functions = self.resolver.state().aggregate_functions();
        functions.get(&name.to_ascii_lowercase()).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        let functions = self.resolver.state().window_functions();
        functions.get(&name.to_ascii_lowercase()).cloned()
    }

    fn get_variable_type(&self, _names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.resolver.state().config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        self.resolver
            .state()
            .scalar_functions()
            .keys()
            .cloned()
            .collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        self.resolver
            .state()
            .higher_order_functions()
            .keys()
            .cloned()
            .collect()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.resolver
            .state()
            .aggregate_functions()
            .keys()
            .cloned()
            .collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.resolver
            .state()
            .window_functions()
            .keys()
            .cloned()
            .collect()
    }
}
