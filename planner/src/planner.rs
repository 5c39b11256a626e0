//! [`Planner`]: the stages in a row.

mod batch;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::logical_expr::LogicalPlan;
use levada_engine::connector::ConnectorRegistry;
use levada_engine::element::ChangelogMode;
use levada_engine::graph::JobGraph;
use sqlparser::ast::Ident;

use crate::catalog::{self, Before, Catalogs, Declaring, Lookup, View};
use crate::explain;
use crate::logical::{self, FileTables, QueryContext, Resolver};
use crate::lowering::{self, Configuration, Surroundings};
use crate::parser::{
    self, Alter, Basis, CreateTable, CreateView, DefineCatalog, DefineDatabase, DefineFunction,
    Explain, ExplainTarget, Insert, Query, Use,
};
use crate::streaming::{self, Builder, GrowingState, Plan, Sink, States};
use levada_language::error::PlanError;

/// Plans statements against a catalog and a set of connectors.
///
/// One planner serves a process; it keeps nothing between calls. Configuration is passed with
/// each call, because every session has its own.
#[derive(Clone)]
pub struct Planner {
    catalogs: Arc<Catalogs>,
    connectors: ConnectorRegistry,
    resolver: Resolver,
}

/// What CREATE TABLE has done.
#[derive(Debug)]
pub struct CreatedTable {
    /// The insert that fills the table, if it was created AS a query.
    pub fill: Option<Insert>,
    before: Before,
}

/// A job that is ready to be submitted.
#[derive(Debug, Clone)]
pub struct PlannedJob {
    /// The job.
    pub graph: JobGraph,
    /// The columns of the rows: those that the client gets, or those of the (first) sink.
    pub schema: SchemaRef,
    /// The kinds of rows that the client gets, or that the (first) sink gets.
    pub mode: ChangelogMode,
    /// Columns of `schema` whose values name a row among the current ones, if that is known. A
    /// client that shows the current rows replaces by them.
    pub key: Option<Vec<usize>>,
    /// What of its state grows for as long as rows come.
    pub growing: Option<GrowingState>,
}

/// The stages of planning, for EXPLAIN and for tests.
#[derive(Debug, Clone)]
pub struct Stages {
    /// The optimized logical plan of each query, in the order of the statement.
    pub logical: Vec<LogicalPlan>,
    /// The streaming plan.
    pub streaming: Plan,
    /// `table.exec.state.ttl` in milliseconds; 0 is for ever.
    pub state_ttl_ms: u64,
}

/// What a job's rows go to.
pub(crate) enum Output<'a> {
    Client(&'a Query),
    Tables(&'a [Insert]),
    /// The rows are kept for queries, and go nowhere.
    View(&'a Insert, Sink),
}

impl Planner {
    /// A planner over a catalog and connectors.
    pub fn new(catalogs: Arc<Catalogs>, connectors: ConnectorRegistry, resolver: Resolver) -> Self {
        Planner {
            catalogs,
            connectors,
            resolver,
        }
    }

    /// The catalogs with their tables and views.
    pub fn catalogs(&self) -> &Arc<Catalogs> {
        &self.catalogs
    }

    /// Names as they are found from the current database.
    pub fn lookup(&self) -> Lookup<'_> {
        self.catalogs.lookup()
    }

    /// The connectors.
    pub fn connectors(&self) -> &ConnectorRegistry {
        &self.connectors
    }

    /// Functions and types. Workers need its [`Resolver::task_context`].
    pub fn resolver(&self) -> &Resolver {
        &self.resolver
    }

    /// CREATE TABLE; the table stays empty. `None` if IF NOT EXISTS found one.
    ///
    /// # Errors
    /// See [`catalog::create_table`]; also when the query of AS is wrong.
    pub fn create_table(&self, statement: &CreateTable) -> Result<Option<CreatedTable>, PlanError> {
        let columns_of = |query: &Query| self.schema_of(query);
        let lookup = self.lookup();
        let declaring = self.declaring();
        let Some(before) = catalog::create_table(&lookup, &declaring, statement, columns_of)?
        else {
            return Ok(None);
        };
        let fill = match &statement.basis {
            Basis::Query { query, .. } => Some(self.fill(statement, query)?),
            _ => None,
        };
        Ok(Some(CreatedTable { fill, before }))
    }

    /// The insert of CREATE TABLE … AS: by name, since the table may have more columns.
    fn fill(&self, statement: &CreateTable, query: &Query) -> Result<Insert, PlanError> {
        let schema = self.schema_of(query)?;
        let names = schema.fields().iter().map(|field| field.name());
        Ok(Insert {
            table: statement.name.clone(),
            options: Vec::new(),
            columns: names.map(|name| Ident::with_quote('`', name)).collect(),
            partition: Vec::new(),
            overwrite: false,
            query: query.clone(),
            text: format!("CREATE TABLE {} AS {}", statement.name, query.text),
            location: query.location,
        })
    }

    /// Puts back what was there before a CREATE TABLE whose table could not be filled.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn undo(&self, created: CreatedTable) -> Result<(), PlanError> {
        created.before.restore(&self.catalogs)
    }

    pub(crate) fn declaring(&self) -> Declaring<'_> {
        Declaring {
            connectors: &self.connectors,
            resolver: &self.resolver,
            catalogs: &self.catalogs,
        }
    }

    /// CREATE VIEW. False if IF NOT EXISTS found one.
    ///
    /// # Errors
    /// See [`catalog::create_view`]; also when the query of the view is wrong.
    pub fn create_view(&self, statement: &CreateView) -> Result<bool, PlanError> {
        catalog::create_view(&self.lookup(), statement, |view| self.check_view(view))
    }

    /// ALTER TABLE or ALTER VIEW. False if IF EXISTS found none.
    ///
    /// # Errors
    /// See [`catalog::alter`].
    pub fn alter(&self, statement: &Alter) -> Result<bool, PlanError> {
        catalog::alter(&self.lookup(), &self.declaring(), statement, |view| {
            self.check_view(view)
        })
    }

    /// Plans the query of a view, and says the names of its columns.
    fn check_view(&self, view: &View) -> Result<Vec<String>, PlanError> {
        if let Some((path, location)) = crate::batch::first_named(&view.query.ast) {
            let what = format!("a view over the file '{path}'");
            return Err(PlanError::unsupported(what, location)
                .or_at(Some(view.query.location))
                .hint("declare a table with 'connector' = 'filesystem', and a view over that"));
        }
        // Whether streams can do it depends on the mode in which the view is used.
        let files = FileTables::new();
        let context = QueryContext::new(self.lookup(), &self.resolver, &files, &view.query, false)
            .with_connectors(&self.connectors)
            .for_view(&view.name);
        let plan = logical::plan(&context, &view.query)?;
        let (named, found) = (view.columns.len(), plan.schema().fields().len());
        if named != 0 && named != found {
            return Err(PlanError::new(
                levada_language::error::PlanErrorKind::InvalidStatement,
                format!("the view names {named} columns, and its query has {found}"),
            )
            .at(Some(view.query.location)));
        }
        let fields = plan.schema().fields().iter();
        let names: Vec<String> = fields.map(|field| field.name().clone()).collect();
        let shown = if named == 0 { &names } else { &view.columns };
        let twice = |(at, name): &(usize, &String)| shown.iter().take(*at).any(|n| n == *name);
        if let Some((_, name)) = shown.iter().enumerate().find(twice) {
            return Err(PlanError::new(
                levada_language::error::PlanErrorKind::DuplicateName,
                format!("two columns of the view are called {name}"),
            )
            .hint("give one of them another name with AS")
            .at(Some(view.query.location)));
        }
        Ok(names)
    }

    /// DROP TABLE or DROP VIEW. For each name, false if IF EXISTS found none.
    ///
    /// # Errors
    /// See [`catalog::drop_objects`].
    pub fn drop(&self, statement: &parser::Drop) -> Result<Vec<bool>, PlanError> {
        catalog::drop_objects(&self.lookup(), statement)
    }

    /// CREATE, ALTER or DROP of a database. Says what happened.
    ///
    /// # Errors
    /// See [`catalog::define_database`].
    pub fn define_database(&self, statement: &DefineDatabase) -> Result<String, PlanError> {
        catalog::define_database(&self.lookup(), statement)
    }

    /// CREATE, ALTER or DROP of a function; `module` is what the file has that it names. Says what happened.
    ///
    /// # Errors
    /// See [`catalog::define_function`].
    pub fn define_function(
        &self,
        statement: &DefineFunction,
        module: Option<&[u8]>,
        configuration: &Configuration,
    ) -> Result<String, PlanError> {
        let resolver = self.resolver.for_session(configuration);
        catalog::define_function(&self.lookup(), &resolver, statement, module)
    }

    /// CREATE, ALTER or DROP of a catalog. Says what happened.
    ///
    /// # Errors
    /// See [`catalog::define_catalog`].
    pub fn define_catalog(&self, statement: &DefineCatalog) -> Result<String, PlanError> {
        catalog::define_catalog(&self.lookup(), statement)
    }

    /// USE. Says where the session is.
    ///
    /// # Errors
    /// There is no such database or catalog.
    pub fn use_place(&self, place: &Use) -> Result<String, PlanError> {
        catalog::use_place(&self.lookup(), place)
    }

    /// The columns of a query, for CREATE TABLE … AS and for completion.
    ///
    /// # Errors
    /// The query is wrong.
    pub fn schema_of(&self, query: &Query) -> Result<SchemaRef, PlanError> {
        let files = FileTables::new();
        let context = QueryContext::new(self.lookup(), &self.resolver, &files, query, false)
            .with_connectors(&self.connectors);
        Ok(Arc::clone(logical::plan(&context, query)?.schema().inner()))
    }

    /// The columns of a view.
    ///
    /// # Errors
    /// The query of the view is wrong, for instance because a table was dropped.
    pub fn schema_of_view(&self, view: &View) -> Result<SchemaRef, PlanError> {
        logical::schema_of_view(self.lookup(), &self.resolver, &self.connectors, view)
    }

    /// A query whose rows stream to the client.
    ///
    /// # Errors
    /// The query is wrong, or streams do not support it.
    pub fn plan_query(
        &self,
        query: &Query,
        configuration: &Configuration,
    ) -> Result<PlannedJob, PlanError> {
        self.plan(
            &Output::Client(query),
            configuration,
            &job_name(&query.text),
        )
    }

    /// INSERT INTO.
    ///
    /// # Errors
    /// The query or the table is wrong, or streams do not support it.
    pub fn plan_insert(
        &self,
        insert: &Insert,
        configuration: &Configuration,
    ) -> Result<PlannedJob, PlanError> {
        let inserts = std::slice::from_ref(insert);
        self.plan(
            &Output::Tables(inserts),
            configuration,
            &job_name(&insert.text),
        )
    }

    /// EXECUTE STATEMENT SET: several inserts as one job.
    ///
    /// # Errors
    /// See [`Planner::plan_insert`].
    pub fn plan_statement_set(
        &self,
        inserts: &[Insert],
        configuration: &Configuration,
    ) -> Result<PlannedJob, PlanError> {
        let tables: Vec<String> = inserts.iter().map(|i| i.table.to_string()).collect();
        let name = format!("statement set: {}", tables.join(", "));
        self.plan(&Output::Tables(inserts), configuration, &name)
    }

    /// EXPLAIN: a text of several lines.
    ///
    /// # Errors
    /// What planning the statement itself would say.
    pub fn explain(
        &self,
        statement: &Explain,
        configuration: &Configuration,
    ) -> Result<String, PlanError> {
        let output = match &statement.target {
            ExplainTarget::Query(query) => Output::Client(query),
            ExplainTarget::Insert(insert) => Output::Tables(std::slice::from_ref(insert)),
            ExplainTarget::StatementSet(inserts) => Output::Tables(inserts),
        };
        let stages = self.stages(&output, configuration)?;
        let graph = || self.lower(&stages.streaming, configuration, "explain");
        explain::render(&statement.details, &stages, graph)
    }

    pub(crate) fn plan(
        &self,
        output: &Output<'_>,
        configuration: &Configuration,
        name: &str,
    ) -> Result<PlannedJob, PlanError> {
        let stages = self.stages(output, configuration)?;
        let graph = self.lower(&stages.streaming, configuration, name)?;
        let first = stages.streaming.outputs.first();
        let Some(node) = first.and_then(|id| stages.streaming.node(*id)) else {
            return Err(PlanError::internal("the job has no output"));
        };
        Ok(PlannedJob {
            graph,
            schema: node.properties.schema.clone(),
            mode: node.properties.mode,
            key: node.properties.keys.first().cloned(),
            growing: States::of(&stages.streaming, stages.state_ttl_ms).warning(),
        })
    }

    /// Plans up to the streaming plan.
    fn stages(
        &self,
        output: &Output<'_>,
        configuration: &Configuration,
    ) -> Result<Stages, PlanError> {
        let resolver = self.resolver.for_session(configuration);
        let settings = lowering::settings::planning_settings(configuration)?;
        let mut builder = Builder::new(
            &resolver,
            &self.connectors,
            settings.allowed_lateness_ms,
            settings.upsert_materialization,
        )
        .with_early_results(settings.early_fire_ms.is_some());
        let mut logical = Vec::new();
        match output {
            Output::Client(query) => {
                let plan = self.optimized(&resolver, query, Ok)?;
                builder
                    .of_query(query, &self.lookup())?
                    .collect(&plan)
                    .map_err(|e| e.or_at(Some(query.location)))?;
                logical.push(plan);
            }
            Output::Tables(inserts) => {
                for insert in *inserts {
                    logical.push(self.add_insert(&resolver, &mut builder, insert)?);
                }
            }
            Output::View(insert, sink) => {
                let plan = self.optimized(&resolver, &insert.query, |plan| {
                    logical::insert_plan(&resolver, plan, insert, &sink.table)
                })?;
                builder
                    .of_query(&insert.query, &self.lookup())?
                    .keep(&plan, sink.clone())
                    .map_err(|e| e.or_at(Some(insert.query.location)))?;
                logical.push(plan);
            }
        }
        let mut streaming = builder.finish();
        if settings.merge_joins {
            streaming::merge_joins(&mut streaming, settings.state_ttl_ms);
        }
        streaming::prune(&mut streaming, &resolver)?;
        streaming::assign_modes(&mut streaming, &self.connectors)?;
        Ok(Stages {
            logical,
            streaming,
            state_ttl_ms: settings.state_ttl_ms,
        })
    }

    fn add_insert(
        &self,
        resolver: &Resolver,
        builder: &mut Builder<'_>,
        insert: &Insert,
    ) -> Result<LogicalPlan, PlanError> {
        if insert.overwrite {
            return Err(PlanError::unsupported(
                "INSERT OVERWRITE on streams",
                Some(insert.location),
            )
            .hint("use INSERT INTO, or SET 'execution.runtime-mode' = 'batch'"));
        }
        let sink = self.sink(insert)?;
        let plan = self.optimized(resolver, &insert.query, |plan| {
            logical::insert_plan(resolver, plan, insert, &sink.table)
        })?;
        builder
            .of_query(&insert.query, &self.lookup())?
            .insert(&plan, sink)
            .map_err(|e| e.or_at(Some(insert.query.location)))?;
        Ok(plan)
    }

    /// The table of an INSERT.
    fn sink(&self, insert: &Insert) -> Result<Sink, PlanError> {
        let table = self.lookup().find_table(&insert.table)?;
        Ok(Sink {
            table: catalog::with_options(&table, &insert.options)?,
            location: catalog::location_of(&insert.table).or(Some(insert.location)),
        })
    }

    fn optimized(
        &self,
        resolver: &Resolver,
        query: &Query,
        shape: impl FnOnce(LogicalPlan) -> Result<LogicalPlan, PlanError>,
    ) -> Result<LogicalPlan, PlanError> {
        logical::refuse_for_streams(resolver, query)?;
        let files = FileTables::new();
        let context = QueryContext::new(self.lookup(), resolver, &files, query, true)
            .with_connectors(&self.connectors);
        let plan = shape(logical::plan(&context, query)?)?;
        logical::optimize_for_streams(resolver, plan, query, &self.lookup())
            .map_err(|error| error.or_at(Some(query.location)))
    }

    fn lower(
        &self,
        plan: &Plan,
        configuration: &Configuration,
        name: &str,
    ) -> Result<JobGraph, PlanError> {
        let surroundings = Surroundings {
            catalogs: &self.catalogs,
            connectors: &self.connectors,
            configuration,
        };
        lowering::lower(plan, &surroundings, name)
    }
}

/// The first words of a statement, on one line.
pub(crate) fn job_name(text: &str) -> String {
    const LONGEST: usize = 60;
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
