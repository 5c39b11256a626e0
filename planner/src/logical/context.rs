//! What DataFusion's SQL planner asks about tables and functions.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::DataType;
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
use sqlparser::ast::Statement;

use super::source::{CatalogTable, ViewTable};
use super::{Resolver, refuse, unnest};
use crate::catalog::{self, Catalog, Object, View};
use crate::parser::names::{self, FoundTable, TableNames};
use crate::parser::{HintedTable, Query};
use levada_language::error::{PlanError, PlanErrorKind};
use levada_language::types::SqlTypePlanner;

/// Views within views go at most this deep.
const VIEW_DEPTH: usize = 64;

/// Files that a query names directly (`FROM 'data/*.parquet'`), by their path.
pub type FileTables = BTreeMap<String, Arc<dyn TableSource>>;

static NO_CATALOG: LazyLock<catalog::MemoryCatalog> = LazyLock::new(catalog::MemoryCatalog::new);
static NO_FILES: FileTables = BTreeMap::new();

/// Tables and functions for one query.
pub struct QueryContext<'a> {
    catalog: &'a dyn Catalog,
    resolver: &'a Resolver,
    files: &'a FileTables,
    hinted: &'a [HintedTable],
    streaming: bool,
    /// Names of the views that are being expanded.
    views: Vec<String>,
    /// The views that were expanded, which is asked for more than once.
    expanded: RefCell<BTreeMap<String, Arc<dyn TableSource>>>,
}

impl<'a> QueryContext<'a> {
    /// A context for `query`. `streaming` says that views must hold only what streams can do.
    pub fn new(
        catalog: &'a dyn Catalog,
        resolver: &'a Resolver,
        files: &'a FileTables,
        query: &'a Query,
        streaming: bool,
    ) -> Self {
        QueryContext {
            catalog,
            resolver,
            files,
            hinted: &query.hinted_tables,
            streaming,
            views: Vec::new(),
            expanded: RefCell::default(),
        }
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
            catalog: &*NO_CATALOG,
            resolver,
            files: &NO_FILES,
            hinted: &[],
            streaming: true,
            views: Vec::new(),
            expanded: RefCell::default(),
        }
    }

    /// Functions and types.
    pub fn resolver(&self) -> &'a Resolver {
        self.resolver
    }

    fn table(&self, name: &TableReference) -> Result<Arc<dyn TableSource>, PlanError> {
        if let Some(hinted) = self.hinted.iter().find(|h| h.alias == name.table()) {
            let table = catalog::find_table(self.catalog, &hinted.name)?;
            let table = catalog::with_options(&table, &hinted.options)?;
            return Ok(Arc::new(CatalogTable::new(table)));
        }
        if let Some(file) = self.files.get(name.table()) {
            return Ok(Arc::clone(file));
        }
        let local = self.local_name(name)?;
        match catalog::resolve(self.catalog, &local) {
            Some((_, Object::Table(table))) => Ok(Arc::new(CatalogTable::new(table))),
            Some((_, Object::View(view))) => self.view(&view),
            None => Err(self.unknown(&local)),
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
        let planned = names::resolve_query(&mut ast, self).and_then(|()| {
            let sql = SqlToRel::new_with_options(self, self.resolver.parser_options());
            Ok(sql.sql_statement_to_plan(Statement::Query(ast))?)
        });
        planned.map_err(|error| super::locate::locate(error, query).or_at(Some(query.location)))
    }

    fn unknown(&self, name: &str) -> PlanError {
        let error = catalog::unknown_table(self.catalog, name, None);
        let looks_like_file = name.contains('/') || name.contains('*') || name.contains('.');
        if looks_like_file && self.streaming {
            return error.hint(
                "files can be read without CREATE TABLE in batch mode: \
                 SET 'execution.runtime-mode' = 'batch'",
            );
        }
        error
    }

    fn local_name(&self, name: &TableReference) -> Result<String, PlanError> {
        use sqlparser::ast::{Ident, ObjectName};
        let parts = [name.catalog(), name.schema(), Some(name.table())];
        let idents: Vec<Ident> = parts.into_iter().flatten().map(Ident::new).collect();
        catalog::local_name(&ObjectName::from(idents))
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
            catalog: self.catalog,
            resolver: self.resolver,
            files: self.files,
            hinted: &view.query.hinted_tables,
            streaming: self.streaming,
            views,
            expanded: RefCell::default(),
        };
        let planned = match self.streaming {
            true => refuse::refuse_for_streams(self.resolver, &view.query),
            false => Ok(()),
        }
        .and_then(|()| super::plan(&inner, &view.query))
        .map_err(|error| in_view(&error, view))?;
        rename_columns(planned, view)
    }
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
        let exact = match self.local_name(&reference) {
            Ok(local) => catalog::resolve(self.catalog, &local).map(|(exact, _)| exact),
            Err(_) => None,
        };
        let exact = exact.unwrap_or_else(|| (*last).to_string());
        Some(FoundTable {
            name: before
                .iter()
                .map(|part| (*part).to_string())
                .chain([exact])
                .collect(),
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
        functions.get(&name.to_ascii_lowercase()).cloned()
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
