//! Late and bad rows: sinks on the side outputs of a source.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef};
use levada_engine::connector::ConnectorRegistry;
use levada_engine::element::ChangelogMode;
use levada_engine::graph::bad_rows_schema;
use sqlparser::ast::{Ident, ObjectName};

use crate::catalog::{Catalogs, Object, Table};
use levada_language::error::{PlanError, PlanErrorKind};
use levada_language::types::SqlType;

/// The table that an option names, as it is found from the database of the table with the option.
pub(super) fn find(
    catalogs: &Catalogs,
    source: &Table,
    option: &str,
) -> Result<Option<Arc<Table>>, PlanError> {
    let Some(name) = source.option(option) else {
        return Ok(None);
    };
    let from = format!("named by the option '{option}' of table {}", source.name);
    let lookup = catalogs.lookup_from(&Arc::new(source.path.place.clone()));
    // A name without dots, or a table that has them in its name.
    let whole = ObjectName::from(Ident::new(name));
    let parts = ObjectName::from(name.split('.').map(Ident::new).collect::<Vec<_>>());
    let found = match lookup.get(&whole)? {
        None if name.contains('.') => lookup.get(&parts),
        found => Ok(found),
    };
    match found.map_err(|error| error.detail(&from))? {
        Some((_, Object::Table(table))) => Ok(Some(table)),
        Some((_, Object::View(_))) => Err(PlanError::new(
            PlanErrorKind::InvalidOption,
            format!("{name} is a view, and rows can only be written to a table"),
        )
        .detail(from)),
        None => Err(lookup.unknown(&whole).detail(from)),
    }
}

/// The columns that late rows have: those of the source, which the table must have too.
pub(super) fn check_late(table: &Table, source: &Table, rows: &Schema) -> Result<(), PlanError> {
    let target = table.write_schema();
    let same = target.fields().len() == rows.fields().len()
        && target
            .fields()
            .iter()
            .zip(rows.fields())
            .all(|(a, b)| a.data_type() == b.data_type());
    if same {
        return Ok(());
    }
    Err(PlanError::new(
        PlanErrorKind::TypeMismatch,
        format!(
            "table {} cannot hold the late rows of {}: its columns must have the same types in the same order",
            table.name, source.name
        ),
    )
    .detail(format!("late rows are ({}), the table has ({})", shown(rows), shown(&target))))
}

/// Whether the table holds bad rows as `payload BYTES` (true) or `payload STRING` (false).
pub(super) fn check_bad(table: &Table, source: &Table) -> Result<bool, PlanError> {
    let target = table.write_schema();
    let types: Vec<&DataType> = target.fields().iter().map(|f| f.data_type()).collect();
    match types.as_slice() {
        [DataType::Binary, DataType::Utf8, DataType::Utf8] => Ok(true),
        [DataType::Utf8, DataType::Utf8, DataType::Utf8] => Ok(false),
        _ => Err(PlanError::new(
            PlanErrorKind::TypeMismatch,
            format!(
                "table {} cannot hold the bad rows of {}",
                table.name, source.name
            ),
        )
        .detail(format!("the table has ({})", shown(&target)))
        .hint("its columns must be: payload BYTES or STRING, position STRING, error STRING")),
    }
}

fn shown(schema: &Schema) -> String {
    let column = |f: &Arc<arrow::datatypes::Field>| {
        format!("{} {}", f.name(), SqlType::from_arrow(f.data_type()))
    };
    schema
        .fields()
        .iter()
        .map(column)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Side tables take rows that are only added.
pub(super) fn check_sink(table: &Table, connectors: &ConnectorRegistry) -> Result<(), PlanError> {
    let sink = crate::streaming::Sink {
        table: Arc::new(table.clone()),
        location: None,
    };
    let accepted = sink.factory(connectors)?.accept(ChangelogMode::Append);
    accepted
        .map(|_| ())
        .map_err(|error| PlanError::new(PlanErrorKind::InvalidOption, error.message))
}

/// The schema of bad rows.
pub(super) fn bad_rows() -> SchemaRef {
    bad_rows_schema()
}
