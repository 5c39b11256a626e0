//! Connectors without I/O and a session around the planner, for tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use arrow::array::RecordBatch;
use levada_engine::connector::{
    Boundedness, ConnectorFactory, ConnectorRegistry, LookupCache, PartialCache, Sink, SinkContext,
    SinkFactory, Source, SourceContext, SourceEvent, SourceFactory, SplitState, TableDescriptor,
};
use levada_engine::element::{Batch, ChangelogMode, RowKind};
use levada_engine::error::{EngineError, Result};

use crate::catalog::Catalogs;
use crate::logical::Resolver;
use crate::lowering::Configuration;
use crate::parser::{self, Set, Statement};
use crate::planner::{PlannedJob, Planner};
use levada_language::error::PlanError;

/// `stream` (unbounded), `table` (bounded), `changes` (bounded, retract): readable;
/// `append`, `upsert` and `any` sinks; `upserts` (bounded, upsert) both.
struct Fake(&'static str);

/// Boundedness, mode, rows, and what is kept if it can be asked by key.
struct FakeSource(Boundedness, ChangelogMode, String, Option<LookupCache>);

impl SourceFactory for FakeSource {
    fn boundedness(&self) -> Boundedness {
        self.0
    }

    fn mode(&self) -> ChangelogMode {
        self.1
    }

    fn lookup(&self) -> Option<LookupCache> {
        self.3
    }

    /// The first subtask delivers the option `data`: a JSON object a line, in batches of two. One behind
    /// `-` is deleted.
    fn create(&self, context: SourceContext) -> Result<Box<dyn Source>> {
        let mut batches = Vec::new();
        if context.index == 0 {
            let lines: Vec<&str> = self.2.lines().filter(|l| !l.trim().is_empty()).collect();
            for pair in lines.chunks(2) {
                let text: Vec<&str> = pair.iter().map(|l| l.trim_start_matches('-')).collect();
                let reader = arrow::json::ReaderBuilder::new(context.schema.clone())
                    .build(std::io::Cursor::new(text.join("\n")))
                    .unwrap();
                let rows: Vec<RecordBatch> = reader.collect::<std::result::Result<_, _>>()?;
                let kind = |line: &&str| match line.starts_with('-') {
                    true => RowKind::Delete,
                    false => RowKind::Insert,
                };
                let kinds = pair.iter().map(kind).collect();
                batches.push(Batch::with_kinds(rows[0].clone(), kinds)?);
            }
            batches.reverse();
        }
        Ok(Box::new(Reading(batches)))
    }
}

struct Reading(Vec<Batch>);

#[async_trait::async_trait]
impl Source for Reading {
    async fn open(&mut self) -> Result<Vec<String>> {
        Ok(vec!["data".to_string()])
    }

    async fn next(&mut self) -> Result<SourceEvent> {
        Ok(match self.0.pop() {
            Some(rows) => SourceEvent::Rows {
                split: Arc::from("data"),
                batch: rows,
            },
            None => SourceEvent::End,
        })
    }

    fn positions(&self) -> Result<Vec<SplitState>> {
        Ok(Vec::new())
    }
}

struct FakeSink(&'static str);

impl SinkFactory for FakeSink {
    fn accept(&self, mode: ChangelogMode) -> Result<ChangelogMode> {
        match (self.0, mode) {
            ("append", ChangelogMode::Append) => Ok(mode),
            ("append", _) => Err(EngineError::config(
                "the connector 'append' takes inserts only, and the query updates its rows",
            )),
            ("upsert" | "upserts", ChangelogMode::Append) => Ok(mode),
            ("upsert" | "upserts", _) => Ok(ChangelogMode::Upsert),
            _ => Ok(mode),
        }
    }

    fn create(&self, _context: SinkContext) -> Result<Box<dyn Sink>> {
        Err(EngineError::internal("plans only"))
    }
}

impl ConnectorFactory for Fake {
    fn identifier(&self) -> &'static str {
        self.0
    }

    fn source(&self, table: &TableDescriptor) -> Result<Arc<dyn SourceFactory>> {
        check_options(table)?;
        let data = || table.option("data").unwrap_or_default().to_string();
        let source = match self.0 {
            "stream" => FakeSource(Boundedness::Unbounded, ChangelogMode::Append, data(), None),
            "table" => FakeSource(
                Boundedness::Bounded,
                ChangelogMode::Append,
                data(),
                asked(table),
            ),
            "changes" => FakeSource(Boundedness::Bounded, ChangelogMode::Retract, data(), None),
            "upserts" => FakeSource(Boundedness::Bounded, ChangelogMode::Upsert, data(), None),
            other => {
                return Err(EngineError::config(format!(
                    "table '{}': the connector '{other}' only writes and cannot be read",
                    table.name
                )));
            }
        };
        Ok(Arc::new(source))
    }

    fn sink(&self, table: &TableDescriptor) -> Result<Arc<dyn SinkFactory>> {
        check_options(table)?;
        match self.0 {
            "append" | "upsert" | "upserts" | "any" => Ok(Arc::new(FakeSink(self.0))),
            other => Err(EngineError::config(format!(
                "table '{}': the connector '{other}' only reads and cannot be written",
                table.name
            ))),
        }
    }
}

/// A table whose path says so is asked by key.
fn asked(table: &TableDescriptor) -> Option<LookupCache> {
    match table.option("path") {
        Some("asked") => Some(LookupCache::None),
        Some("asked, cached") => Some(LookupCache::Partial(PartialCache {
            max_rows: Some(1000),
            expire_after_write_ms: Some(60_000),
            expire_after_access_ms: None,
            missing_keys: false,
        })),
        Some("loaded") => Some(LookupCache::Full { reload_ms: None }),
        _ => None,
    }
}

fn check_options(table: &TableDescriptor) -> Result<()> {
    let known = |key: &str| key == "path" || key == "data";
    match table.options.keys().find(|key| !known(key)) {
        Some(key) => Err(EngineError::config(format!("unknown option '{key}'"))
            .with_hint("the options are: data, path")),
        None => Ok(()),
    }
}

/// The error of a statement contains all of `expect`.
#[track_caller]
pub(crate) fn says(error: PlanError, sql: &str, expect: &[&str]) {
    let error = error.render(sql);
    for part in expect {
        assert!(error.contains(part), "{sql}\nhas no {part:?} in\n{error}");
    }
}

/// A planner with what SET has said.
pub(crate) struct Session {
    pub(crate) planner: Planner,
    pub(crate) configuration: Configuration,
}

impl Session {
    pub(crate) fn new() -> Self {
        let mut connectors = ConnectorRegistry::new();
        for name in [
            "stream", "table", "changes", "append", "upsert", "upserts", "any",
        ] {
            connectors.register(Arc::new(Fake(name)));
        }
        let catalogs = Arc::new(Catalogs::new());
        Session {
            planner: Planner::new(
                catalogs,
                connectors,
                Resolver::new(Arc::new(levada_engine::time::SystemClock)),
            ),
            configuration: Configuration::new(),
        }
    }

    /// A session in which `script` has run.
    pub(crate) fn with(script: &str) -> Self {
        let mut session = Session::new();
        session
            .run(script)
            .map_err(|error| error.render(script))
            .unwrap();
        session
    }

    /// Runs a script; the texts of its EXPLAINs are the result.
    pub(crate) fn run(&mut self, script: &str) -> std::result::Result<String, PlanError> {
        let mut out = Vec::new();
        for parsed in parser::parse(script)? {
            match &parsed.statement {
                Statement::CreateTable(table) => {
                    self.planner.create_table(table)?;
                }
                Statement::CreateView(view) => {
                    self.planner.create_view(view)?;
                }
                Statement::Drop(drop) => {
                    self.planner.drop(drop)?;
                }
                Statement::Alter(alter) => {
                    self.planner.alter(alter)?;
                }
                Statement::Function(define) => {
                    // What a file would have is in its place.
                    let module = define.module().map(|module| {
                        wat::parse_str(&module.path).unwrap_or(module.path.clone().into_bytes())
                    });
                    let module = module.as_deref();
                    self.planner
                        .define_function(define, module, &self.configuration)?;
                }
                Statement::Database(define) => {
                    self.planner.define_database(define)?;
                }
                Statement::Catalog(define) => {
                    self.planner.define_catalog(define)?;
                }
                Statement::Use(place) => {
                    self.planner.use_place(place)?;
                }
                Statement::Set(Set::Value { key, value, .. }) => {
                    crate::lowering::settings::check(key, value)?;
                    self.configuration.insert(key.clone(), value.clone());
                }
                Statement::Explain(explain) => {
                    out.push(self.planner.explain(explain, &self.configuration)?);
                }
                Statement::Query(query) => {
                    self.planner.plan_query(query, &self.configuration)?;
                }
                Statement::Insert(insert) => {
                    self.planner.plan_insert(insert, &self.configuration)?;
                }
                Statement::StatementSet(inserts) => {
                    self.planner
                        .plan_statement_set(inserts, &self.configuration)?;
                }
                other => panic!("no test runs {other:?}"),
            }
        }
        Ok(out.join("\n\n"))
    }

    /// The job of one query, insert or statement set.
    pub(crate) fn job(&self, sql: &str) -> std::result::Result<PlannedJob, PlanError> {
        match parser::parse_one(sql)?.statement {
            Statement::Query(query) => self.planner.plan_query(&query, &self.configuration),
            Statement::Insert(insert) => self.planner.plan_insert(&insert, &self.configuration),
            Statement::StatementSet(inserts) => self
                .planner
                .plan_statement_set(&inserts, &self.configuration),
            other => panic!("{other:?} is no job"),
        }
    }
}
