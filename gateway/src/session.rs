//! One user's conversation with Levada: a catalog, a configuration, and the jobs it starts.

mod describe;
mod functions;
mod insert;
mod jobs;
mod materialized;
mod query;
mod show;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use levada_engine::client::JobClient;
use levada_engine::connector::ConnectorRegistry;
use levada_language::Location;
use levada_planner::parser::{self, ParsedStatement, Set, Statement};
use tokio::sync::OnceCell;

use crate::config::{Configuration, Effect, RuntimeMode};
use crate::deployment::Deployment;
use crate::error::Result;
use crate::outcome::Outcome;
use crate::planning::Planning;
use crate::snapshots::{MaterializedViews, Snapshots};

pub use jobs::jobs_table;
pub(crate) use jobs::moment;

/// A session. Statements run one after the other.
pub struct Session {
    configuration: Configuration,
    planning: Planning,
    deployment: Arc<dyn Deployment>,
    client: OnceCell<Arc<dyn JobClient>>,
    /// What statements read of materialized views.
    snapshots: Arc<Snapshots>,
    batch_inserts: u64,
}

impl Session {
    /// A session with an empty catalog. Nothing is started before the first job.
    pub fn new(mut connectors: ConnectorRegistry, deployment: Arc<dyn Deployment>) -> Self {
        let snapshots = Arc::new(Snapshots::default());
        connectors.register(Arc::new(MaterializedViews(Arc::clone(&snapshots))));
        Session {
            configuration: Configuration::default(),
            planning: Planning::new(connectors),
            deployment,
            client: OnceCell::new(),
            snapshots,
            batch_inserts: 0,
        }
    }

    /// What was set.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// For settings that come from elsewhere than SET.
    pub fn configuration_mut(&mut self) -> &mut Configuration {
        &mut self.configuration
    }

    /// Where jobs run.
    pub fn deployment(&self) -> &Arc<dyn Deployment> {
        &self.deployment
    }

    /// The tables and views with their columns, for completion.
    pub fn tables(&self) -> Vec<(String, Vec<String>)> {
        self.planning.tables()
    }

    /// The names of all functions, for completion.
    pub fn functions(&self) -> Vec<String> {
        self.planning.functions()
    }

    /// The coordinator; the first call starts or reaches it.
    ///
    /// # Errors
    /// It cannot be started or reached.
    pub async fn client(&self) -> Result<Arc<dyn JobClient>> {
        let client = self.client.get_or_try_init(|| self.deployment.connect());
        Ok(client.await?.clone())
    }

    /// Runs a single statement.
    ///
    /// # Errors
    /// It is not one statement, it is wrong, or it fails.
    pub async fn execute(&mut self, sql: &str) -> Result<Outcome> {
        let statement = parser::parse_one(sql)?;
        self.execute_statement(&statement).await
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// It is wrong or fails. Positions refer to the script that the statement is from.
    pub async fn execute_statement(&mut self, statement: &ParsedStatement) -> Result<Outcome> {
        self.begin_statement(&statement.statement).await?;
        let outcome = self.run(statement).await;
        match outcome {
            Err(error) if self.may_name_a_view(&error).await => {
                self.begin_statement(&statement.statement).await?;
                self.run(statement).await
            }
            outcome => outcome,
        }
    }

    async fn run(&mut self, statement: &ParsedStatement) -> Result<Outcome> {
        let at = statement.location;
        match &statement.statement {
            Statement::CreateTable(create) => self.create_table(create, at).await,
            Statement::CreateMaterializedView(create) => {
                self.create_materialized_view(create, at).await
            }
            Statement::Drop(drop) if materialized::is_about_views(drop) => {
                self.drop_materialized_views(drop).await
            }
            Statement::CreateView(_)
            | Statement::Drop(_)
            | Statement::Alter(_)
            | Statement::Database(_)
            | Statement::Catalog(_)
            | Statement::Use(_) => Ok(Outcome::Ok(self.planning.define(&statement.statement)?)),
            Statement::Function(define) => self.define_function(define).await,
            Statement::Show(show) => self.show(show).await,
            Statement::Describe(describe) => self.describe(describe).await,
            Statement::Set(set) => self.set(set),
            Statement::Reset(name) => self.reset(name.as_ref()),
            Statement::Insert(insert) => self.insert(std::slice::from_ref(insert), at).await,
            Statement::StatementSet(inserts) => self.insert(inserts, at).await,
            Statement::Query(query) => match self.configuration.runtime_mode() {
                RuntimeMode::Streaming => self.streaming_query(query).await,
                RuntimeMode::Batch => self.batch_query(query).await,
            },
            Statement::Explain(explain) => {
                let parallelism = self.parallelism();
                let text = self
                    .planning
                    .explain(explain, &self.configuration, parallelism);
                Ok(Outcome::Text(text.await?))
            }
            Statement::StopJob(stop) => self.stop_job(stop).await,
        }
    }

    /// Ends what this session started; jobs of an embedded engine end with it.
    pub async fn close(&self) {
        self.deployment.close().await;
    }

    fn parallelism(&self) -> u32 {
        let default = self.deployment.default_parallelism();
        self.configuration.parallelism().unwrap_or(default)
    }

    fn set(&mut self, set: &Set) -> Result<Outcome> {
        match set {
            Set::List => show::configuration(&self.configuration),
            Set::Value {
                key,
                value,
                location,
            } => {
                let effect = self.configuration.set(key, value);
                Ok(Outcome::Ok(
                    match effect.map_err(|e| e.or_at(*location))? {
                        Effect::Set => format!("{key} is '{value}'"),
                        Effect::None => format!("{key} is accepted and has no effect here"),
                    },
                ))
            }
        }
    }

    fn reset(&mut self, name: Option<&(String, Location)>) -> Result<Outcome> {
        match name {
            Some((name, at)) => {
                self.configuration.reset(name).map_err(|e| e.or_at(*at))?;
                Ok(Outcome::Ok(format!("{name} has its default again")))
            }
            None => {
                self.configuration.reset_all();
                Ok(Outcome::Ok("everything has its default again".to_string()))
            }
        }
    }
}
