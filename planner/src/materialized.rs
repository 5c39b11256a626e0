//! Materialized views: jobs that keep the rows of a query, for other queries.
//!
//! The rows are groups of an aggregation by all columns, which counts them: whatever order changes come in, what
//! they add up to is right, and a checkpoint of the job has all of it at one moment. To queries a view is a table
//! of the connector [`CONNECTOR`], which reads the newest checkpoint of the job.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use levada_engine::graph::{
    JobGraph, JobId, MaterializedView, OperatorInput, OperatorSpec, OutputPort, ViewOrigin,
    WireSchema,
};

use crate::catalog::{self, Object, ObjectPath, Place, Table, View};
use crate::lowering::Configuration;
use crate::parser::{
    self, CreateMaterializedView, Declaration, Insert, ObjectKind, Statement, TableOption,
};
use crate::planner::{Output, PlannedJob, Planner, job_name};
use crate::streaming::Sink;
use levada_language::error::{PlanError, PlanErrorKind};

/// The connector that reads materialized views.
pub const CONNECTOR: &str = "materialized-view";
/// The option of such a table that names its job.
pub const JOB: &str = "job";
/// The option of such a table that has the text of its query.
pub const QUERY: &str = "query";

/// The option of such a table that has its [`ViewOrigin`], as JSON.
const ORIGIN: &str = "origin";

/// How far a view may be behind if nobody says it, in milliseconds.
const FRESHNESS_MS: u64 = 1_000;
/// So many checkpoints are kept at least, so that there is time to read one.
const RETAINED: usize = 3;

impl Planner {
    /// The job of CREATE MATERIALIZED VIEW. `None` if there is such a view and IF NOT EXISTS was said.
    ///
    /// # Errors
    /// The name is taken, the query is wrong, or streams do not support it.
    pub fn plan_materialized_view(
        &self,
        create: &CreateMaterializedView,
        configuration: &Configuration,
    ) -> Result<Option<PlannedJob>, PlanError> {
        let lookup = self.lookup();
        let free = catalog::may_create_view(&lookup, &create.name, create.if_not_exists)?;
        let Some(path) = free else { return Ok(None) };
        let query = &create.query;
        let found = self.schema_of(query)?;
        let place = lookup.place();
        let origin = ViewOrigin {
            catalog: place.catalog.clone(),
            database: place.database.clone(),
            columns: names_of(&found),
        };
        let schema = renamed(create, found)?;
        let own = Declaration {
            options: vec![option("connector", "blackhole")],
            ..Declaration::default()
        };
        let declaration = catalog::declaration_of_query(&schema, &own, &[], query)?;
        let at = catalog::location_of(&create.name);
        let table = self
            .declaring()
            .table(path.clone(), declaration, false, at)?;
        let table = Arc::new(table);
        let sink = Sink {
            table: Arc::clone(&table),
            location: at,
        };
        let name = job_name(&format!("materialized view {}", path.name));
        let insert = Insert {
            table: create.name.clone(),
            options: Vec::new(),
            columns: Vec::new(),
            partition: Vec::new(),
            overwrite: false,
            query: query.clone(),
            text: query.text.clone(),
            location: query.location,
        };
        let output = Output::View(&insert, sink);
        let mut planned = self.plan(&output, configuration, &name)?;
        let uid = keeper(&planned.graph)?;
        let settings = &mut planned.graph.settings;
        settings.view = Some(MaterializedView {
            name: [path.place.catalog, path.place.database, path.name],
            query: query.text.clone(),
            comment: create.comment.clone(),
            columns: WireSchema(table.schema()),
            uid,
            origin: Some(origin),
        });
        let interval_ms = settings.checkpoints.interval_ms;
        let freshness_ms = create.freshness_ms.or(interval_ms).unwrap_or(FRESHNESS_MS);
        settings.checkpoints.interval_ms = Some(freshness_ms);
        settings.checkpoints.retained = settings.checkpoints.retained.max(RETAINED);
        Ok(Some(planned))
    }

    /// Makes a view of a job known here. A table or view that has its name already stays; false then.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn add_materialized_view(
        &self,
        view: &MaterializedView,
        job: &JobId,
    ) -> Result<bool, PlanError> {
        let [catalog, database, name] = view.name.clone();
        let path = ObjectPath {
            place: Place { catalog, database },
            name,
        };
        if !self.catalogs().make_place(&path.place)? {
            return Ok(false);
        }
        let known = self.catalogs().get_permanent(&path);
        if known.is_some_and(|known| !is_materialized(&known)) {
            return Ok(false);
        }
        let origin = view.origin.as_ref().map(serde_json::to_string);
        let origin = origin.transpose().map_err(|error| {
            PlanError::internal(format!("the origin of a view cannot be written: {error}"))
        })?;
        let options = [
            ("connector", CONNECTOR),
            (JOB, job.0.as_str()),
            (QUERY, view.query.as_str()),
        ];
        let options = options
            .into_iter()
            .chain(origin.as_deref().map(|text| (ORIGIN, text)));
        let declaration = Declaration {
            columns: catalog::columns_of_schema(&view.columns.0),
            comment: view.comment.clone(),
            options: options.map(|(key, value)| option(key, value)).collect(),
            ..Declaration::default()
        };
        let table = self
            .declaring()
            .table(path.clone(), declaration, false, None)?;
        self.catalogs().put(&path, Object::Table(Arc::new(table)))?;
        Ok(true)
    }

    /// Forgets the materialized views whose jobs are not among `jobs`.
    ///
    /// # Errors
    /// The catalog cannot be written.
    pub fn retain_materialized_views(
        &self,
        jobs: &BTreeMap<String, JobId>,
    ) -> Result<(), PlanError> {
        for (path, table) in self.materialized_views() {
            let kept = jobs.get(&path.to_string());
            if kept.is_none_or(|job| table.option(JOB) != Some(job.0.as_str())) {
                self.catalogs().remove(&path, false)?;
            }
        }
        Ok(())
    }

    /// The materialized views that are known here.
    pub fn materialized_views(&self) -> Vec<(ObjectPath, Arc<Table>)> {
        let catalogs = self.catalogs();
        let mut views = Vec::new();
        for path in catalogs.paths() {
            if let Some(Object::Table(table)) = catalogs.get_permanent(&path)
                && table.is_materialized_view()
            {
                views.push((path, table));
            }
        }
        views
    }
}

/// A materialized view as streams read it: the view of its query, which is computed anew.
///
/// # Errors
/// It was created by a version that did not say where its query was written.
pub(crate) fn as_view(path: &ObjectPath, table: &Table) -> Result<View, PlanError> {
    let origin = table
        .option(ORIGIN)
        .and_then(|text| serde_json::from_str(text).ok());
    let Some(origin): Option<ViewOrigin> = origin else {
        let what = format!(
            "reading the materialized view {path} on streams, which an older version created"
        );
        return Err(PlanError::unsupported(what, None).hint(
            "create it again, or SET 'execution.runtime-mode' = 'batch' for a query of what it has now",
        ));
    };
    let text = table.option(QUERY).unwrap_or_default();
    let Statement::Query(query) = parser::parse_one(text)?.statement else {
        return Err(PlanError::internal(format!(
            "the materialized view {path} has no query"
        )));
    };
    let shown = names_of(&table.schema());
    Ok(View {
        path: path.clone(),
        name: table.name.clone(),
        place: Arc::new(Place {
            catalog: origin.catalog,
            database: origin.database,
        }),
        columns: match shown == origin.columns {
            true => Vec::new(),
            false => shown,
        },
        shown: origin.columns,
        query,
        comment: None,
        temporary: false,
    })
}

fn names_of(schema: &Schema) -> Vec<String> {
    let names = schema.fields().iter().map(|field| field.name().clone());
    names.collect()
}

fn is_materialized(object: &Object) -> bool {
    object.object_kind() == ObjectKind::MaterializedView
}

fn option(key: &str, value: &str) -> TableOption {
    TableOption {
        key: key.to_string(),
        value: value.to_string(),
        key_location: None,
        value_location: None,
    }
}

/// The columns of the query by the names that the view gives them.
fn renamed(create: &CreateMaterializedView, schema: SchemaRef) -> Result<SchemaRef, PlanError> {
    if create.columns.is_empty() {
        return Ok(schema);
    }
    let (named, found) = (create.columns.len(), schema.fields().len());
    if named != found {
        let message = format!("the view names {named} columns, and its query has {found}");
        return Err(PlanError::new(PlanErrorKind::InvalidStatement, message)
            .at(Some(create.query.location)));
    }
    let fields = schema.fields().iter().zip(&create.columns);
    let fields = fields.map(|(field, name)| field.as_ref().clone().with_name(&name.value));
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

/// The uid of the operator in front of the sink.
fn keeper(graph: &JobGraph) -> Result<String, PlanError> {
    let found = graph.vertices.iter().find_map(|vertex| {
        let sink =
            |o: &&levada_engine::graph::ChainedOperator| matches!(o.spec, OperatorSpec::Sink(_));
        let sink = vertex.operators.iter().find(sink)?;
        match sink.inputs.as_slice() {
            [
                OperatorInput::Chained {
                    operator,
                    port: OutputPort::Main,
                },
            ] => vertex.operators.get(*operator),
            _ => None,
        }
    });
    match found {
        Some(operator) => Ok(operator.uid.clone()),
        None => Err(PlanError::internal(
            "the rows of a materialized view are not where its sink is",
        )),
    }
}
