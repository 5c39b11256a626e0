//! Files as tables: `SELECT … FROM 'data/*.parquet'`.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use sqlparser::ast::{Query, TableFactor, Visit, Visitor};

use crate::logical::FileTables;
use levada_language::error::{Location, PlanError, PlanErrorKind, in_sql};

/// The files that a query names in single quotes, as tables with inferred columns.
pub(super) async fn tables(query: &Query, state: &SessionState) -> Result<FileTables, PlanError> {
    let mut named = Named::default();
    let _ = query.visit(&mut named);
    let mut tables = FileTables::new();
    for (path, location) in named.paths {
        let table = table(&path, state)
            .await
            .map_err(|error| error.or_at(location))?;
        tables.insert(path, provider_as_source(Arc::new(table)));
    }
    Ok(tables)
}

/// The first file that a query names in single quotes, with its position.
pub(crate) fn first_named(query: &Query) -> Option<(String, Option<Location>)> {
    let mut named = Named::default();
    let _ = query.visit(&mut named);
    named.paths.into_iter().next()
}

/// Tables that are named by a text.
#[derive(Default)]
struct Named {
    paths: BTreeMap<String, Option<Location>>,
}

impl Visitor for Named {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, .. } = factor
            && let [only] = name.0.as_slice()
            && let Some(ident) = only.as_ident()
            && ident.quote_style == Some('\'')
        {
            let location = Location::of(ident.span);
            self.paths.insert(ident.value.clone(), location);
        }
        ControlFlow::Continue(())
    }
}

async fn table(path: &str, state: &SessionState) -> Result<ListingTable, PlanError> {
    let unreadable = |detail: String| {
        PlanError::new(
            PlanErrorKind::UnknownTable,
            format!("the files '{path}' cannot be read"),
        )
        .detail(detail)
    };
    if path.contains("://") && !path.starts_with("file://") {
        return Err(
            PlanError::unsupported(format!("reading '{path}' without CREATE TABLE"), None)
                .hint("name local files, or declare a table with 'connector' = 'filesystem'"),
        );
    }
    let (format, extension) = format_of(path)?;
    let url = ListingTableUrl::parse(path).map_err(|e| unreadable(e.strip_backtrace()))?;
    let options = ListingOptions::new(format).with_file_extension(extension);
    let config = ListingTableConfig::new(url).with_listing_options(options);
    let config = config
        .infer_schema(state)
        .await
        .map_err(|e| match e.strip_backtrace() {
            text if text.contains("No files found") => no_file(path),
            text => match text.strip_prefix("Arrow error: Json error: ") {
                Some(text) => unreadable(in_sql(text)).hint(
                    "a file has one JSON object a line; CREATE TABLE gives columns their types",
                ),
                None => unreadable(text),
            },
        })?;
    let table = ListingTable::try_new(config)?;
    let empty = {
        use datafusion::datasource::TableProvider as _;
        table.schema().fields().is_empty()
    };
    if empty {
        return Err(no_file(path));
    }
    Ok(table)
}

fn no_file(path: &str) -> PlanError {
    PlanError::new(
        PlanErrorKind::UnknownTable,
        format!("no file matches '{path}', or the files are empty"),
    )
    .hint("paths are relative to the directory in which levada was started")
}

/// The format by the ending of the name.
fn format_of(path: &str) -> Result<(Arc<dyn FileFormat>, &'static str), PlanError> {
    let extension = path.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
    Ok(match extension.as_deref() {
        Some("parquet") => (Arc::new(ParquetFormat::default()), "parquet"),
        Some("csv") => (Arc::new(CsvFormat::default()), "csv"),
        Some("json") => (Arc::new(JsonFormat::default()), "json"),
        Some("jsonl") => (Arc::new(JsonFormat::default()), "jsonl"),
        Some("ndjson") => (Arc::new(JsonFormat::default()), "ndjson"),
        _ => {
            return Err(PlanError::new(
                PlanErrorKind::UnknownFormat,
                format!("the format of '{path}' is not known from its name"),
            )
            .hint("names end in .parquet, .csv, .json, .jsonl or .ndjson"));
        }
    })
}
