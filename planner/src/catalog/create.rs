//! CREATE and DROP: from statements to catalog objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, ExprSchemable, cast};
use levada_engine::connector::ConnectorRegistry;
use levada_engine::error::EngineError;
use sqlparser::ast::{Ident, ObjectName};

use super::{
    Catalog, Column, ColumnKind, Computed, Object, Table, View, Watermark, local_name, location_of,
};
use crate::logical::Resolver;
use crate::parser::{self, CreateMode, CreateTable, CreateView, ObjectKind, TableOption};
use levada_language::error::{Location, PlanError, PlanErrorKind, nearest};
use levada_language::types::{Nullable, SqlType};

/// CREATE TABLE. False if the table was there already and IF NOT EXISTS was said.
///
/// # Errors
/// The name is taken, an expression does not resolve, the watermark's column is no timestamp, or
/// the connector refuses the options.
pub fn create_table(
    catalog: &dyn Catalog,
    connectors: &ConnectorRegistry,
    resolver: &Resolver,
    statement: &CreateTable,
) -> Result<bool, PlanError> {
    let name = local_name(&statement.name)?;
    if !may_create(
        catalog,
        &name,
        statement.mode,
        &statement.name,
        ObjectKind::Table,
    )? {
        return Ok(false);
    }
    let columns = columns(resolver, &statement.columns)?;
    let mut table = Table {
        name: name.clone(),
        columns,
        watermark: None,
        primary_key: Vec::new(),
        partitioned_by: Vec::new(),
        comment: statement.comment.clone(),
        options: option_map(&statement.options),
        temporary: statement.mode.temporary,
    };
    table.watermark = match &statement.watermark {
        Some(watermark) => Some(resolve_watermark(resolver, &table, watermark)?),
        None => None,
    };
    if let Some(key) = &statement.primary_key {
        table.primary_key = positions(&table, &key.columns)?;
    }
    table.partitioned_by = positions(&table, &statement.partitioned_by)?;
    check_side_tables(&table, statement)?;
    check_connector(connectors, &table, statement)?;
    catalog.put(&name, Object::Table(Arc::new(table)))?;
    Ok(true)
}

/// CREATE VIEW. `check` plans the view's query, so that it is known to be valid. False if there
/// was one already and IF NOT EXISTS was said.
///
/// # Errors
/// The name is taken, or what `check` finds.
pub fn create_view(
    catalog: &dyn Catalog,
    statement: &CreateView,
    check: impl FnOnce(&View) -> Result<(), PlanError>,
) -> Result<bool, PlanError> {
    let name = local_name(&statement.name)?;
    if !may_create(
        catalog,
        &name,
        statement.mode,
        &statement.name,
        ObjectKind::View,
    )? {
        return Ok(false);
    }
    let view = View {
        name: name.clone(),
        columns: statement
            .columns
            .iter()
            .map(|ident| ident.value.clone())
            .collect(),
        query: statement.query.clone(),
        comment: statement.comment.clone(),
        temporary: statement.mode.temporary,
    };
    check(&view)?;
    catalog.put(&name, Object::View(Arc::new(view)))?;
    Ok(true)
}

/// DROP TABLE or DROP VIEW. False if there was none and IF EXISTS was said.
///
/// # Errors
/// There is none, or it is of the other kind.
pub fn drop_object(catalog: &dyn Catalog, statement: &parser::Drop) -> Result<bool, PlanError> {
    let wanted = local_name(&statement.name)?;
    let at = location_of(&statement.name);
    let Some((name, object)) = super::resolve(catalog, &wanted) else {
        if statement.if_exists {
            return Ok(false);
        }
        return Err(super::unknown_table(catalog, &wanted, at));
    };
    let fits = matches!(
        (&object, statement.kind),
        (Object::Table(_), ObjectKind::Table) | (Object::View(_), ObjectKind::View)
    );
    if !fits {
        let kind = object.kind();
        return Err(PlanError::new(
            PlanErrorKind::InvalidStatement,
            format!("{name} is a {kind}"),
        )
        .hint(format!("use DROP {}", kind.to_uppercase()))
        .at(at));
    }
    catalog.remove(&name)
}

/// Whether the name is free, or may be replaced; false if nothing is to be done.
fn may_create(
    catalog: &dyn Catalog,
    name: &str,
    mode: CreateMode,
    written: &ObjectName,
    kind: ObjectKind,
) -> Result<bool, PlanError> {
    let Some(existing) = catalog.get(name) else {
        return Ok(true);
    };
    if mode.if_not_exists {
        return Ok(false);
    }
    let same_kind = matches!(
        (&existing, kind),
        (Object::Table(_), ObjectKind::Table) | (Object::View(_), ObjectKind::View)
    );
    if mode.or_replace && same_kind {
        return Ok(true);
    }
    Err(PlanError::new(
        PlanErrorKind::DuplicateName,
        format!("{} {name} exists already", existing.kind()),
    )
    .hint(match same_kind {
        true => "use CREATE OR REPLACE, or IF NOT EXISTS, or drop it first",
        false => "choose another name, or drop it first",
    })
    .at(location_of(written)))
}

fn option_map(options: &[TableOption]) -> BTreeMap<String, String> {
    let pair = |option: &TableOption| (option.key.clone(), option.value.clone());
    options.iter().map(pair).collect()
}

fn columns(resolver: &Resolver, declared: &[parser::Column]) -> Result<Vec<Column>, PlanError> {
    let read: Vec<arrow::datatypes::Field> = declared
        .iter()
        .filter_map(|column| match &column.kind {
            parser::ColumnKind::Physical(data_type)
            | parser::ColumnKind::Metadata { data_type, .. } => {
                Some(data_type.to_field(&column.name.value))
            }
            parser::ColumnKind::Computed(_) => None,
        })
        .collect();
    let schema = Arc::new(arrow::datatypes::Schema::new(read));
    declared
        .iter()
        .map(|c| column(resolver, c, declared, &schema))
        .collect()
}

fn column(
    resolver: &Resolver,
    declared: &parser::Column,
    all: &[parser::Column],
    schema: &SchemaRef,
) -> Result<Column, PlanError> {
    let name = declared.name.value.clone();
    let (data_type, kind) = match &declared.kind {
        parser::ColumnKind::Physical(data_type) => (data_type.clone(), ColumnKind::Physical),
        parser::ColumnKind::Metadata {
            data_type,
            key,
            is_virtual,
        } => {
            let key = key.clone().unwrap_or_else(|| name.clone());
            let is_virtual = *is_virtual;
            (data_type.clone(), ColumnKind::Metadata { key, is_virtual })
        }
        parser::ColumnKind::Computed(expression) => {
            let expr = resolver
                .resolve(expression, schema)
                .map_err(|error| refers_to_computed(error, all))?;
            let df_schema = DFSchema::try_from(schema.as_ref().clone())?;
            let data_type = Nullable {
                sql_type: SqlType::from_arrow(&expr.get_type(&df_schema)?),
                nullable: expr.nullable(&df_schema)?,
            };
            // The column is stored as its SQL type says, so a view type becomes a plain one.
            let expr = cast_if_needed(expr, &data_type.sql_type.to_arrow(), &df_schema)?;
            let text = expression.text.clone();
            (
                data_type,
                ColumnKind::Computed(Box::new(Computed { text, expr })),
            )
        }
    };
    Ok(Column {
        name,
        data_type,
        kind,
        comment: declared.comment.clone(),
    })
}

/// Explains that computed columns see physical and metadata columns only.
fn refers_to_computed(error: PlanError, all: &[parser::Column]) -> PlanError {
    let names_computed = error.kind() == PlanErrorKind::UnknownColumn
        && all.iter().any(|column| {
            matches!(column.kind, parser::ColumnKind::Computed(_))
                && error.message() == format!("column {} does not exist", column.name.value)
        });
    if names_computed {
        return error.hint(
            "a computed column cannot refer to another computed column; repeat its expression",
        );
    }
    error
}

fn cast_if_needed(expr: Expr, wanted: &DataType, schema: &DFSchema) -> Result<Expr, PlanError> {
    if &expr.get_type(schema)? == wanted {
        return Ok(expr);
    }
    Ok(cast(expr, wanted.clone()))
}

fn resolve_watermark(
    resolver: &Resolver,
    table: &Table,
    declared: &parser::Watermark,
) -> Result<Watermark, PlanError> {
    let name = &declared.column.value;
    let column = table
        .position(name)
        .ok_or_else(|| PlanError::internal(format!("the watermark column {name} is missing")))?;
    let data_type = table
        .columns
        .get(column)
        .map(|c| c.data_type.sql_type.clone());
    let at = Location::of(declared.column.span).or(Some(declared.location));
    let Some(sql_type @ (SqlType::Timestamp(_) | SqlType::TimestampLtz(_))) = data_type else {
        let shown = data_type.map(|t| t.to_string()).unwrap_or_default();
        return Err(PlanError::new(
            PlanErrorKind::InvalidWatermark,
            format!("the watermark column {name} has the type {shown}, and must be TIMESTAMP(p) or TIMESTAMP_LTZ(p)"),
        )
        .hint("declare a computed column, such as ts AS TO_TIMESTAMP_LTZ(epoch_ms, 3), and use that")
        .at(at));
    };
    let schema = table.schema();
    let expr = resolver.resolve(&declared.expression, &schema)?;
    let df_schema = DFSchema::try_from(schema.as_ref().clone())?;
    let found = expr.get_type(&df_schema)?;
    if !matches!(found, DataType::Timestamp(_, _)) {
        return Err(PlanError::new(
            PlanErrorKind::InvalidWatermark,
            format!(
                "the watermark expression has the type {}, and must be a timestamp as {name} is",
                SqlType::from_arrow(&found)
            ),
        )
        .hint(format!("such as {name} - INTERVAL '5' SECOND"))
        .at(Some(declared.expression.location)));
    }
    let expr = cast_if_needed(expr, &sql_type.to_arrow(), &df_schema)?;
    Ok(Watermark {
        column,
        expression: Computed {
            text: declared.expression.text.clone(),
            expr,
        },
    })
}

fn positions(table: &Table, idents: &[Ident]) -> Result<Vec<usize>, PlanError> {
    idents
        .iter()
        .map(|ident| {
            table.position(&ident.value).ok_or_else(|| {
                PlanError::new(
                    PlanErrorKind::UnknownColumn,
                    format!("column {} does not exist in this table", ident.value),
                )
                .at(Location::of(ident.span))
            })
        })
        .collect()
}

/// Late rows need a watermark to be late against.
fn check_side_tables(table: &Table, statement: &CreateTable) -> Result<(), PlanError> {
    if table.watermark.is_none() && table.option("late-rows.table").is_some() {
        return Err(PlanError::new(
            PlanErrorKind::InvalidOption,
            format!(
                "table {} has the option 'late-rows.table' and no WATERMARK",
                table.name
            ),
        )
        .at(key_location(&statement.options, "late-rows.table")));
    }
    Ok(())
}

fn key_location(options: &[TableOption], key: &str) -> Option<Location> {
    options
        .iter()
        .find(|option| option.key == key)
        .map(|option| option.key_location)
}

/// Asks the connector whether the options make sense, for reading or for writing.
fn check_connector(
    connectors: &ConnectorRegistry,
    table: &Table,
    statement: &CreateTable,
) -> Result<(), PlanError> {
    let at = location_of(&statement.name);
    if table.option("connector").is_none() {
        let known = connectors.identifiers();
        return Err(PlanError::new(
            PlanErrorKind::MissingOption,
            format!("table {} has no option 'connector'", table.name),
        )
        .hint(format!(
            "add 'connector' = '…' to WITH; the connectors are: {}",
            known.join(", ")
        ))
        .at(at));
    }
    let source = table.source_descriptor();
    let convert = |error: EngineError| option_error(error, &statement.options, connectors, at);
    let factory = connectors.of_table(&source).map_err(convert)?;
    let Err(read) = factory.source(&source) else {
        return Ok(());
    };
    let Err(write) = factory.sink(&table.sink_descriptor()) else {
        return Ok(());
    };
    // A connector of one direction says so for the other; the useful message is the other one.
    let one_way = read.message.contains("cannot be read");
    Err(convert(if one_way { write } else { read }))
}

/// A connector's error about options as an error of the statement, at the option's position.
pub(crate) fn option_error(
    error: EngineError,
    options: &[TableOption],
    connectors: &ConnectorRegistry,
    otherwise: Option<Location>,
) -> PlanError {
    let message = error.message.as_str();
    let said = outside_quotes(message);
    let kind = match said.as_str() {
        m if m.contains("unknown connector") => PlanErrorKind::UnknownConnector,
        m if m.contains("unknown format") => PlanErrorKind::UnknownFormat,
        m if m.contains("unknown option") => PlanErrorKind::UnknownOption,
        m if m.contains("option") && m.contains("missing") => PlanErrorKind::MissingOption,
        _ => PlanErrorKind::InvalidOption,
    };
    let named = options
        .iter()
        .find(|o| message.contains(&format!("'{}'", o.key)));
    let valued = || {
        let about_value = matches!(
            kind,
            PlanErrorKind::UnknownConnector | PlanErrorKind::UnknownFormat
        );
        let fits = |o: &&TableOption| message.contains(&format!("'{}'", o.value));
        options
            .iter()
            .find(fits)
            .filter(|_| about_value)
            .map(|o| o.value_location)
    };
    let location = valued().or(named.map(|o| o.key_location)).or(otherwise);
    let mut converted = PlanError::new(kind, message).at(location);
    if let Some(detail) = &error.detail {
        converted = converted.detail(detail);
    }
    if kind == PlanErrorKind::UnknownConnector {
        let wanted = options
            .iter()
            .find(|o| o.key == "connector")
            .map(|o| o.value.as_str());
        let near = nearest(wanted.unwrap_or_default(), connectors.identifiers());
        if let Some(near) = near {
            return converted.hint(format!("did you mean '{near}'?"));
        }
    }
    match &error.hint {
        Some(hint) => converted.hint(hint),
        None => converted,
    }
}

/// A message without what it quotes: a name such as 'fail-on-missing-field' says nothing about
/// the kind of the error.
fn outside_quotes(message: &str) -> String {
    message
        .split('\'')
        .step_by(2)
        .collect::<Vec<_>>()
        .join("''")
}

/// A table with the options of a hint, which replace or extend its own.
///
/// # Errors
/// The hint would change the connector.
pub fn with_options(table: &Arc<Table>, options: &[TableOption]) -> Result<Arc<Table>, PlanError> {
    if options.is_empty() {
        return Ok(Arc::clone(table));
    }
    if let Some(option) = options.iter().find(|option| option.key == "connector") {
        return Err(PlanError::new(
            PlanErrorKind::InvalidOption,
            "the OPTIONS hint cannot change the connector",
        )
        .at(Some(option.key_location)));
    }
    let mut changed = table.as_ref().clone();
    changed.options.extend(option_map(options));
    Ok(Arc::new(changed))
}
