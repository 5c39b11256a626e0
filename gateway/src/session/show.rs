//! SHOW, DESCRIBE and STOP JOB.

use std::sync::Arc;

use arrow::datatypes::Field;
use levada_engine::client::{JobState, JobStatus, StopMode};
use levada_engine::graph::JobId;
use levada_language::types::SqlType;
use levada_language::{PlanError, PlanErrorKind};
use levada_planner::catalog::{
    self, Column, ColumnKind, DEFAULT_CATALOG, DEFAULT_DATABASE, Object, Table, View,
};
use levada_planner::parser::{Show, StopJob};
use sqlparser::ast::ObjectName;

use super::Session;
use crate::config::Configuration;
use crate::config::keys::SAVEPOINT_DIR;
use crate::error::{Error, Result};
use crate::outcome::{Outcome, text_table};

impl Session {
    pub(super) async fn show(&self, show: &Show) -> Result<Outcome> {
        match show {
            Show::Tables => self.names("table name", |_| true),
            Show::Views => self.names("view name", |object| matches!(object, Object::View(_))),
            Show::Functions => single("function name", self.planning.functions()),
            Show::Jobs => self.jobs().await,
            Show::Catalogs => single("catalog name", [DEFAULT_CATALOG.to_string()]),
            Show::CurrentCatalog => single("current catalog name", [DEFAULT_CATALOG.to_string()]),
            Show::Databases => single("database name", [DEFAULT_DATABASE.to_string()]),
            Show::CurrentDatabase => {
                single("current database name", [DEFAULT_DATABASE.to_string()])
            }
            Show::Columns(name) => self.describe(name),
            Show::CreateTable(name) => match catalog::find(self.planning.catalog(), name)? {
                (_, Object::Table(table)) => Ok(Outcome::Text(catalog::create_table_sql(&table))),
                (found, Object::View(_)) => Err(wrong_kind(&found, "view", name)),
            },
            Show::CreateView(name) => match catalog::find(self.planning.catalog(), name)? {
                (_, Object::View(view)) => Ok(Outcome::Text(catalog::create_view_sql(&view))),
                (found, Object::Table(_)) => Err(wrong_kind(&found, "table", name)),
            },
        }
    }

    fn names(&self, title: &str, keep: impl Fn(&Object) -> bool) -> Result<Outcome> {
        let catalog = self.planning.catalog();
        let names = catalog.names();
        let kept = names
            .into_iter()
            .filter(|name| catalog.get(name).is_some_and(|o| keep(&o)));
        single(title, kept)
    }

    /// A row for each column: name, type, whether it may be NULL, the key it belongs to, where it
    /// comes from, and the watermark declared on it.
    pub(super) fn describe(&self, name: &ObjectName) -> Result<Outcome> {
        let (_, object) = catalog::find(self.planning.catalog(), name)?;
        let rows = match object {
            Object::Table(table) => describe_table(&table),
            Object::View(view) => self.describe_view(&view)?,
        };
        text_table(
            &["name", "type", "null", "key", "extras", "watermark"],
            rows,
        )
    }

    fn describe_view(&self, view: &View) -> Result<Vec<Vec<Option<String>>>> {
        let schema = self.planning.view_schema(view)?;
        let describe = |field: &Arc<Field>| {
            let sql_type = SqlType::from_arrow(field.data_type());
            row([field.name(), &sql_type.to_string()], field.is_nullable())
        };
        Ok(schema.fields().iter().map(describe).collect())
    }

    async fn jobs(&self) -> Result<Outcome> {
        let jobs = match self.client.get() {
            Some(client) => client.list().await?,
            // Nothing was started, so an embedded engine has no jobs.
            None if self.deployment.is_embedded() => Vec::new(),
            None => self.client().await?.list().await?,
        };
        jobs_table(&jobs)
    }

    /// Ends a job with a last checkpoint, waits until it has ended, and makes a savepoint of the
    /// checkpoint if one is wanted.
    pub(super) async fn stop_job(&self, stop: &StopJob) -> Result<Outcome> {
        let client = self.client().await?;
        let jobs = client.list().await?;
        let id = JobId(stop.id.clone());
        let Some(job) = jobs.iter().find(|job| job.id == id) else {
            let error = PlanError::new(
                PlanErrorKind::UnknownName,
                format!("there is no job '{}'", stop.id),
            );
            return Err(error
                .hint("SHOW JOBS lists them")
                .at(Some(stop.location))
                .into());
        };
        if job.state.is_terminal() {
            let ended = job.state.name().to_ascii_lowercase();
            return Ok(Outcome::Ok(format!("job {id} has already ended ({ended})")));
        }
        let mode = match stop.with_drain {
            true => StopMode::Drain,
            false => StopMode::Checkpoint,
        };
        client.stop(&id, mode).await?;
        let status = client.wait(&id).await?;
        if let Some(error) = status.error.filter(|_| status.state == JobState::Failed) {
            return Err(error.into());
        }
        if !stop.with_savepoint {
            return Ok(Outcome::Ok(format!("job {id} is stopped")));
        }
        let dir = self.configuration.get(SAVEPOINT_DIR).map(str::to_string);
        let path = client.savepoint(&id, dir).await?;
        let text = format!("job {id} is stopped; its savepoint is {path}");
        Ok(Outcome::Ok(text))
    }
}

/// The rows of SHOW JOBS.
///
/// # Errors
/// None that input can cause.
pub fn jobs_table(jobs: &[JobStatus]) -> Result<Outcome> {
    let names = [
        "job id",
        "job name",
        "status",
        "submitted",
        "ended",
        "restarts",
        "checkpoint",
        "message",
    ];
    let rows = jobs.iter().map(|job| {
        let error = job.error.as_ref().map(|error| error.message.clone());
        vec![
            Some(job.id.to_string()),
            Some(job.name.clone()),
            Some(job.state.name().to_string()),
            Some(moment(job.submitted_ms)),
            job.ended_ms.map(moment),
            Some(job.restarts.to_string()),
            job.checkpoints.last_path.clone(),
            job.held_up_by().map(str::to_string).or(error),
        ]
    });
    text_table(&names, rows)
}

/// A moment for people, in UTC.
pub(crate) fn moment(ms: i64) -> String {
    match chrono::DateTime::from_timestamp_millis(ms) {
        Some(moment) => moment.format("%Y-%m-%d %H:%M:%S%.3fZ").to_string(),
        None => ms.to_string(),
    }
}

/// The answer of SET without a name.
pub(super) fn configuration(configuration: &Configuration) -> Result<Outcome> {
    let rows = configuration
        .entries()
        .map(|(name, value)| vec![Some(name.to_string()), Some(value.to_string())]);
    text_table(&["name", "value"], rows)
}

fn single(title: &str, names: impl IntoIterator<Item = String>) -> Result<Outcome> {
    text_table(&[title], names.into_iter().map(|name| vec![Some(name)]))
}

fn wrong_kind(name: &str, kind: &str, written: &ObjectName) -> Error {
    PlanError::new(
        PlanErrorKind::InvalidStatement,
        format!("{name} is a {kind}"),
    )
    .hint(format!("use SHOW CREATE {}", kind.to_ascii_uppercase()))
    .at(catalog::location_of(written))
    .into()
}

fn row<const N: usize>(first: [&str; N], nullable: bool) -> Vec<Option<String>> {
    let mut cells: Vec<Option<String>> = first.iter().map(|text| Some(text.to_string())).collect();
    cells.push(Some(nullable.to_string()));
    cells
}

fn describe_table(table: &Table) -> Vec<Vec<Option<String>>> {
    let key = table.names_of(&table.primary_key).join(", ");
    let describe = |(position, column): (usize, &Column)| {
        let sql_type = column.data_type.sql_type.to_string();
        let mut cells = row([&column.name, &sql_type], column.data_type.nullable);
        let in_key = table.primary_key.contains(&position);
        cells.push(in_key.then(|| format!("PRI({key})")));
        cells.push(extras(column));
        let watermark = table.watermark.as_ref().filter(|w| w.column == position);
        cells.push(watermark.map(|w| w.expression.text.clone()));
        cells
    };
    table.columns.iter().enumerate().map(describe).collect()
}

fn extras(column: &Column) -> Option<String> {
    match &column.kind {
        ColumnKind::Physical => None,
        ColumnKind::Computed(computed) => Some(format!("AS {}", computed.text)),
        ColumnKind::Metadata { key, is_virtual } => {
            let from = match *key == column.name {
                true => String::new(),
                false => format!(" FROM '{key}'"),
            };
            let only_read = if *is_virtual { " VIRTUAL" } else { "" };
            Some(format!("METADATA{from}{only_read}"))
        }
    }
}
