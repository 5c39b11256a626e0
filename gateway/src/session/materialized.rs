//! Materialized views: statements about them, and those of other sessions.

use std::collections::BTreeMap;

use levada_engine::client::{JobStatus, StopMode};
use levada_engine::graph::JobId;
use levada_language::{Location, PlanErrorKind};
use levada_planner::materialized::JOB;
use levada_planner::parser::{CreateMaterializedView, Drop, NamePattern, ObjectKind, Statement};

use super::Session;
use crate::config::RuntimeMode;
use crate::error::{Error, Result};
use crate::outcome::{Job, Outcome, text_table};

impl Session {
    /// The view is a job that reads streams, in batch mode as well.
    pub(super) async fn create_materialized_view(
        &mut self,
        create: &CreateMaterializedView,
        at: Location,
    ) -> Result<Outcome> {
        self.learn_views().await?;
        let parallelism = self.parallelism();
        let planned = self
            .planning
            .materialized_view(create, &self.configuration, parallelism);
        let Some(planned) = planned.map_err(|error| error.or_at(at))? else {
            let text = format!("materialized view {} exists already", create.name);
            return Ok(Outcome::Ok(text));
        };
        let growing = planned.growing.map(|growing| growing.to_string());
        let mut graph = planned.graph;
        let client = self.client().await?;
        let settings = &mut graph.settings;
        if settings.checkpoints.dir.is_none() {
            settings.checkpoints.dir = self.deployment.snapshot_dir();
        }
        let view = settings.view.clone();
        let (name, bounded) = (graph.name.clone(), graph.is_bounded());
        let id = client.submit(graph).await?;
        tracing::info!(job = %id, name, bounded, "submitted");
        if let Some(view) = view {
            self.planning.add_view(&view, &id)?;
        }
        Ok(Outcome::Job(Job {
            id,
            name,
            bounded,
            wait: self.configuration.dml_sync().unwrap_or(bounded),
            restored: Vec::new(),
            growing,
        }))
    }

    /// DROP MATERIALIZED VIEW: with it goes its job, and what that keeps.
    pub(super) async fn drop_materialized_views(&mut self, drop: &Drop) -> Result<Outcome> {
        let jobs = self.learn_views().await?;
        let lookup = self.planning.lookup();
        let mut dropped = Vec::new();
        for name in &drop.names {
            if let Ok((_, levada_planner::catalog::Object::Table(table))) = lookup.find(name)
                && let Some(job) = table.option(JOB).filter(|_| table.is_materialized_view())
            {
                dropped.push(job.to_string());
            }
        }
        let said = self.planning.define(&Statement::Drop(drop.clone()))?;
        let jobs = jobs.into_iter().map(|job| job.id);
        for id in jobs.filter(|id| dropped.contains(&id.0)) {
            let client = self.client().await?;
            client.stop(&id, StopMode::Cancel).await?;
            client.wait(&id).await?;
        }
        Ok(Outcome::Ok(said))
    }

    /// SHOW MATERIALIZED VIEWS.
    pub(super) async fn materialized_views(&self, like: Option<&NamePattern>) -> Result<Outcome> {
        let jobs = self.learn_views().await?;
        let place = self.planning.lookup().place().as_ref().clone();
        let rows = jobs.into_iter().filter_map(|job| {
            let [catalog, database, name] = job.view?.name;
            if like.is_some_and(|like| !like.accepts(&name)) {
                return None;
            }
            let here = catalog == place.catalog && database == place.database;
            let name = match here {
                true => name,
                false => format!("{catalog}.{database}.{name}"),
            };
            let state = job.state.name().to_string();
            let checkpoint = job.checkpoints.last_path;
            Some(vec![Some(name), Some(job.id.0), Some(state), checkpoint])
        });
        text_table(&["view name", "job id", "status", "checkpoint"], rows)
    }

    /// Whether a statement that failed may succeed if it is tried again: it names what may be another session's
    /// view.
    pub(super) async fn may_name_a_view(&self, error: &Error) -> bool {
        let unknown = |kind| {
            matches!(
                kind,
                PlanErrorKind::UnknownTable | PlanErrorKind::UnknownName
            )
        };
        let Error::Plan(plan) = error else {
            return false;
        };
        if !unknown(plan.kind()) || self.deployment.is_embedded() {
            return false;
        }
        let known = self.planning.views();
        // That it cannot be reached is not what is wrong with the statement.
        self.learn_views().await.is_ok() && self.planning.views() != known
    }

    /// What is read of views from now on is of their newest checkpoints.
    pub(super) async fn begin_statement(&self, statement: &Statement) -> Result<()> {
        let reads = match statement {
            Statement::Query(_) | Statement::Insert(_) | Statement::StatementSet(_) => {
                self.configuration.runtime_mode() == RuntimeMode::Batch
            }
            _ => false,
        };
        if reads && !self.planning.views().is_empty() {
            self.learn_views().await?;
        }
        self.snapshots.begin(self.client.get().cloned());
        Ok(())
    }

    /// Has the catalog know the views that there are, and says their jobs.
    async fn learn_views(&self) -> Result<Vec<JobStatus>> {
        if self.client.get().is_none() && self.deployment.is_embedded() {
            return Ok(Vec::new());
        }
        let mut jobs = self.client().await?.list().await?;
        jobs.retain(|job| job.kept_view().is_some());
        let mut kept: BTreeMap<String, JobId> = BTreeMap::new();
        for job in &jobs {
            if let Some(view) = job.kept_view() {
                kept.insert(view.name.join("."), job.id.clone());
            }
        }
        self.planning.retain_views(&kept)?;
        for job in &jobs {
            if let Some(view) = job.kept_view() {
                self.planning.add_view(view, &job.id)?;
            }
        }
        Ok(jobs)
    }
}

/// Whether DROP is about materialized views.
pub(super) fn is_about_views(drop: &Drop) -> bool {
    drop.kind == ObjectKind::MaterializedView
}
