//! The planner, as a session uses it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::execution::TaskContext;
use levada_engine::connector::ConnectorRegistry;
use levada_engine::graph::{JobId, MaterializedView};
use levada_engine::time::{Clock, SystemClock};
use levada_language::PlanError;
use levada_planner::batch::BatchRows;
use levada_planner::catalog::{Catalogs, Lookup, Object, ObjectPath, View};
use levada_planner::logical::Resolver;
use levada_planner::materialized::JOB;
use levada_planner::parser::{
    Alter, CreateMaterializedView, CreateTable, DefineFunction, Explain, Insert, Query, Statement,
};
use levada_planner::{CreatedTable, PlannedJob, Planner};

use crate::config::{Configuration, RuntimeMode};
use crate::error::Result;

/// The functions that the expressions of a job may call, the same ones that it was planned with.
pub(crate) fn functions(clock: Arc<dyn Clock>) -> Arc<TaskContext> {
    Resolver::new(clock).task_context()
}

/// Catalogs of its own, and the planner over them.
pub(crate) struct Planning {
    planner: Planner,
}

impl Planning {
    pub(crate) fn new(connectors: ConnectorRegistry) -> Self {
        let catalogs = Arc::new(Catalogs::new());
        Planning {
            planner: Planner::new(catalogs, connectors, Resolver::new(Arc::new(SystemClock))),
        }
    }

    /// Names as they are found from the current database.
    pub(crate) fn lookup(&self) -> Lookup<'_> {
        self.planner.lookup()
    }

    /// The tables and views of the current database with their columns; a view that is broken has none.
    pub(crate) fn tables(&self) -> Vec<(String, Vec<String>)> {
        let lookup = self.lookup();
        let (catalogs, place) = (lookup.catalogs(), lookup.place());
        let columns = |name: &String| {
            let path = ObjectPath {
                place: place.as_ref().clone(),
                name: name.clone(),
            };
            let schema = match catalogs.get(&path)? {
                Object::Table(table) => table.schema(),
                Object::View(view) => self.planner.schema_of_view(&view).ok()?,
            };
            let fields = schema.fields().iter();
            Some(fields.map(|field| field.name().clone()).collect())
        };
        let names = catalogs.objects(place).into_iter();
        names
            .map(|name| {
                let columns = columns(&name).unwrap_or_default();
                (name, columns)
            })
            .collect()
    }

    /// The names of the functions of one's own that are found from the current database, sorted.
    pub(crate) fn user_functions(&self) -> Vec<String> {
        let lookup = self.lookup();
        lookup.catalogs().functions(lookup.place())
    }

    /// The names of all functions, sorted.
    pub(crate) fn functions(&self) -> Vec<String> {
        let state = self.planner.resolver().state();
        let aggregate = state.aggregate_functions().keys().cloned();
        let built = levada_language::functions::names().into_iter();
        let built = built.chain(levada_language::functions::AGGREGATES.iter().copied());
        let own = self.user_functions().into_iter();
        let built = built.map(str::to_string).chain(aggregate);
        let mut names: Vec<String> = built.chain(own).collect();
        names.sort();
        names.dedup();
        names
    }

    /// CREATE TABLE; `None` if IF NOT EXISTS found one.
    pub(crate) fn create_table(&self, create: &CreateTable) -> Result<Option<CreatedTable>> {
        Ok(self.planner.create_table(create)?)
    }

    /// The job of CREATE MATERIALIZED VIEW; `None` if IF NOT EXISTS found one.
    pub(crate) fn materialized_view(
        &self,
        create: &CreateMaterializedView,
        configuration: &Configuration,
        parallelism: u32,
    ) -> Result<Option<PlannedJob>> {
        let configuration = configuration.for_planner(parallelism);
        Ok(self
            .planner
            .plan_materialized_view(create, &configuration)?)
    }

    /// Makes the view of a job known.
    pub(crate) fn add_view(&self, view: &MaterializedView, job: &JobId) -> Result<()> {
        self.planner.add_materialized_view(view, job)?;
        Ok(())
    }

    /// Forgets all views but those of these jobs.
    pub(crate) fn retain_views(&self, jobs: &BTreeMap<String, JobId>) -> Result<()> {
        Ok(self.planner.retain_materialized_views(jobs)?)
    }

    /// The full names of the materialized views that are known, with their jobs.
    pub(crate) fn views(&self) -> Vec<(String, Option<String>)> {
        let views = self.planner.materialized_views().into_iter();
        views
            .map(|(path, table)| (path.to_string(), table.option(JOB).map(str::to_string)))
            .collect()
    }

    /// Puts back what was there before.
    pub(crate) fn undo(&self, created: CreatedTable) -> Result<()> {
        Ok(self.planner.undo(created)?)
    }

    /// CREATE of anything but a table, ALTER, DROP and USE. Says what happened.
    pub(crate) fn define(&self, statement: &Statement) -> Result<String> {
        Ok(match statement {
            Statement::CreateView(create) => match self.planner.create_view(create)? {
                true => format!("view {} created", create.name),
                false => format!("view {} exists already", create.name),
            },
            Statement::Drop(drop) => {
                let said = drop.names.iter().zip(self.planner.drop(drop)?);
                let said = said.map(|(name, dropped)| match dropped {
                    true => format!("{name} dropped"),
                    false => format!("{name} does not exist"),
                });
                said.collect::<Vec<_>>().join(", ")
            }
            Statement::Alter(alter) => {
                let (Alter::Table { name, .. } | Alter::View { name, .. }) = alter;
                match self.planner.alter(alter)? {
                    true => format!("{name} altered"),
                    false => format!("{name} does not exist"),
                }
            }
            Statement::Database(define) => self.planner.define_database(define)?,
            Statement::Catalog(define) => self.planner.define_catalog(define)?,
            Statement::Use(place) => self.planner.use_place(place)?,
            _ => return Err(PlanError::internal("the statement defines nothing").into()),
        })
    }

    /// CREATE, ALTER or DROP of a function. Says what happened.
    pub(crate) fn define_function(
        &self,
        define: &DefineFunction,
        module: Option<&[u8]>,
        configuration: &Configuration,
    ) -> Result<String> {
        let configuration = configuration.for_planner(1);
        Ok(self
            .planner
            .define_function(define, module, &configuration)?)
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
