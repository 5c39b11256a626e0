//! The planner, as a session uses it.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::execution::TaskContext;
use levada_engine::connector::ConnectorRegistry;
use levada_engine::time::{Clock, SystemClock};
use levada_language::{Location, PlanError, PlanErrorKind};
use levada_planner::batch::BatchRows;
use levada_planner::catalog::{
    Catalog, DEFAULT_CATALOG, DEFAULT_DATABASE, MemoryCatalog, Object, View,
};
use levada_planner::logical::Resolver;
use levada_planner::parser::{Explain, Insert, Query, Statement, Use};
use levada_planner::{PlannedJob, Planner};

use crate::config::{Configuration, RuntimeMode};
use crate::error::Result;

/// The functions that the expressions of a job may call, the same ones that it was planned with.
pub(crate) fn functions(clock: Arc<dyn Clock>) -> Arc<TaskContext> {
    Resolver::new(clock).task_context()
}

/// A catalog of its own, and the planner over it.
pub(crate) struct Planning {
    planner: Planner,
}

impl Planning {
    pub(crate) fn new(connectors: ConnectorRegistry) -> Self {
        let catalog = Arc::new(MemoryCatalog::new());
        Planning {
            planner: Planner::new(catalog, connectors, Resolver::new(Arc::new(SystemClock))),
        }
    }

    pub(crate) fn catalog(&self) -> &dyn Catalog {
        self.planner.catalog().as_ref()
    }

    /// The tables and views with their columns; a view that is broken has none.
    pub(crate) fn tables(&self) -> Vec<(String, Vec<String>)> {
        let catalog = self.catalog();
        let names = catalog.names();
        let columns = |name: &String| {
            let schema = match catalog.get(name)? {
                Object::Table(table) => table.schema(),
                Object::View(view) => self.planner.schema_of_view(&view).ok()?,
            };
            Some(
                schema
                    .fields()
                    .iter()
                    .map(|field| field.name().clone())
                    .collect(),
            )
        };
        names
            .into_iter()
            .map(|name| {
                let columns = columns(&name).unwrap_or_default();
                (name, columns)
            })
            .collect()
    }

    /// The names of all functions, sorted.
    pub(crate) fn functions(&self) -> Vec<String> {
        let state = self.planner.resolver().state();
        let aggregate = state.aggregate_functions().keys().cloned();
        let scalar = levada_language::functions::names().into_iter();
        let mut names: Vec<String> = scalar.map(str::to_string).chain(aggregate).collect();
        names.sort();
        names.dedup();
        names
    }

    /// CREATE, DROP and USE. Says what happened.
    pub(crate) fn define(&self, statement: &Statement) -> Result<String> {
        Ok(match statement {
            Statement::CreateTable(create) => match self.planner.create_table(create)? {
                true => format!("table {} created", create.name),
                false => format!("table {} exists already", create.name),
            },
            Statement::CreateView(create) => match self.planner.create_view(create)? {
                true => format!("view {} created", create.name),
                false => format!("view {} exists already", create.name),
            },
            Statement::Drop(drop) => match self.planner.drop(drop)? {
                true => format!("{} dropped", drop.name),
                false => format!("{} does not exist", drop.name),
            },
            Statement::Use(place) => use_place(place)?,
            _ => return Err(PlanError::internal("the statement defines nothing").into()),
        })
    }

    pub(crate) fn view_schema(&self, view: &View) -> Result<SchemaRef> {
        Ok(self.planner.schema_of_view(view)?)
    }

    pub(crate) fn query(
        &self,
        query: &Query,
        configuration: &Configuration,
        parallelism: u32,
    ) -> Result<PlannedJob> {
        Ok(self
            .planner
            .plan_query(query, &configuration.for_planner(parallelism))?)
    }

    pub(crate) fn insert(
        &self,
        inserts: &[Insert],
        configuration: &Configuration,
        parallelism: u32,
    ) -> Result<PlannedJob> {
        let configuration = configuration.for_planner(parallelism);
        Ok(match inserts {
            [insert] => self.planner.plan_insert(insert, &configuration)?,
            inserts => self.planner.plan_statement_set(inserts, &configuration)?,
        })
    }

    /// The rows of a query, computed here and now.
    pub(crate) async fn batch_query(
        &self,
        query: &Query,
        configuration: &Configuration,
        parallelism: u32,
    ) -> Result<BatchRows> {
        let configuration = configuration.for_planner(parallelism);
        Ok(self.planner.batch_query(query, &configuration).await?)
    }

    /// Writes rows here and now and commits them; says how many. `job` must be unique.
    pub(crate) async fn batch_insert(
        &self,
        insert: &Insert,
        configuration: &Configuration,
        parallelism: u32,
        job: &str,
    ) -> Result<u64> {
        let configuration = configuration.for_planner(parallelism);
        Ok(self
            .planner
            .batch_insert(insert, &configuration, job)
            .await??)
    }

    pub(crate) async fn explain(
        &self,
        explain: &Explain,
        configuration: &Configuration,
        parallelism: u32,
    ) -> Result<String> {
        let settings = configuration.for_planner(parallelism);
        Ok(match configuration.runtime_mode() {
            RuntimeMode::Streaming => self.planner.explain(explain, &settings)?,
            RuntimeMode::Batch => self.planner.batch_explain(explain, &settings).await?,
        })
    }
}

/// There is one catalog with one database, so USE can only confirm it.
fn use_place(place: &Use) -> Result<String> {
    let (what, name, known, at) = match place {
        Use::Catalog(ident) => (
            "catalog",
            ident.value.clone(),
            DEFAULT_CATALOG,
            Location::of(ident.span),
        ),
        Use::Database(name) => {
            let written = name.to_string().replace(['`', '"'], "");
            let local = written
                .strip_prefix(&format!("{DEFAULT_CATALOG}."))
                .unwrap_or(&written)
                .to_string();
            (
                "database",
                local,
                DEFAULT_DATABASE,
                levada_planner::catalog::location_of(name),
            )
        }
    };
    match name.eq_ignore_ascii_case(known) {
        true => Ok(format!("the current {what} is {known}")),
        false => Err(PlanError::new(
            PlanErrorKind::UnknownName,
            format!("there is no {what} '{name}'"),
        )
        .hint(format!("{known} is the only {what}"))
        .at(at)
        .into()),
    }
}
