//! From a declaration to a table.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, ExprSchemable, cast};
use levada_engine::connector::ConnectorRegistry;
use sqlparser::ast::Ident;

use super::options::{check_connector, option_map};
use super::{Catalogs, Column, ColumnKind, Computed, ObjectPath, Table, Watermark};
use crate::logical::{Resolver, inlined};
use crate::parser::{self, Declaration, TableOption};
use levada_language::error::{Location, PlanError, PlanErrorKind};
use levada_language::types::{Nullable, SqlType};

/// What it takes to make a table of a declaration.
#[derive(Clone, Copy)]
pub struct Declaring<'a> {
    /// The connectors that check the options.
    pub connectors: &'a ConnectorRegistry,
    /// What resolves expressions.
    pub resolver: &'a Resolver,
    /// What finds functions of one's own.
    pub catalogs: &'a Catalogs,
}

impl Declaring<'_> {
    /// The table that is declared. `at` is where errors are that have no other place in the statement.
    ///
    /// # Errors
    /// The declaration does not fit together, an expression does not resolve, the watermark's column
    /// is no timestamp, or the connector refuses the options.
    pub fn table(
        &self,
        path: ObjectPath,
        declaration: Declaration,
        temporary: bool,
        at: Option<Location>,
    ) -> Result<Table, PlanError> {
        let made = self.made(path, declaration, temporary, at);
        made.map_err(|error| error.or_at(at))
    }

    fn made(
        &self,
        path: ObjectPath,
        mut declaration: Declaration,
        temporary: bool,
        at: Option<Location>,
    ) -> Result<Table, PlanError> {
        declaration.check()?;
        let plain = self.without_functions(&declaration, &path)?;
        let mut table = Table {
            name: path.to_string(),
            path,
            columns: columns(self.resolver, &plain.columns)?,
            watermark: None,
            primary_key: Vec::new(),
            partitioned_by: Vec::new(),
            comment: declaration.comment.clone(),
            options: option_map(&declaration.options),
            temporary,
            declaration: Declaration::default(),
        };
        table.watermark = match &plain.watermark {
            Some(watermark) => Some(resolve_watermark(self.resolver, &table, watermark)?),
            None => None,
        };
        if let Some(key) = &declaration.primary_key {
            table.primary_key = positions(&table, &key.columns)?;
        }
        table.partitioned_by = positions(&table, &declaration.partitioned_by)?;
        check_side_tables(&table, &declaration.options)?;
        check_connector(self.connectors, &table, &declaration.options, at)?;
        table.declaration = declaration.without_positions();
        Ok(table)
    }
}

impl Declaring<'_> {
    /// The declaration with the functions of one's own as what they do now, as they are found from the table's
    /// database.
    fn without_functions(
        &self,
        declaration: &Declaration,
        path: &ObjectPath,
    ) -> Result<Declaration, PlanError> {
        let lookup = self.catalogs.lookup_from(&Arc::new(path.place.clone()));
        let plain = |expression: &mut parser::Expression| {
            *expression = inlined(expression, &lookup, self.resolver, None)?;
            Ok::<(), PlanError>(())
        };
        let mut declaration = declaration.clone();
        for column in &mut declaration.columns {
            if let parser::ColumnKind::Computed(expression) = &mut column.kind {
                plain(expression)?;
            }
        }
        if let Some(watermark) = &mut declaration.watermark {
            plain(&mut watermark.expression)?;
        }
        Ok(declaration)
    }
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
    let at = Location::of(declared.column.span).or(declared.location);
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
        .at(declared.expression.location));
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
fn check_side_tables(table: &Table, options: &[TableOption]) -> Result<(), PlanError> {
    if table.watermark.is_none() && table.option("late-rows.table").is_some() {
        return Err(PlanError::new(
            PlanErrorKind::InvalidOption,
            format!(
                "table {} has the option 'late-rows.table' and no WATERMARK",
                table.name
            ),
        )
        .at(key_location(options, "late-rows.table")));
    }
    Ok(())
}

fn key_location(options: &[TableOption], key: &str) -> Option<Location> {
    options
        .iter()
        .find(|option| option.key == key)
        .and_then(|option| option.key_location)
}
