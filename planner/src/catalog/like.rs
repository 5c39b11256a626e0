//! LIKE and AS of CREATE TABLE: declarations that start from a table or from a query.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use sqlparser::ast::Ident;

use super::Table;
use crate::parser::{
    self, Column, ColumnKind, Declaration, Feature, Like, Merging, Query, TableOption, names,
};
use levada_language::error::{Location, PlanError, PlanErrorKind};
use levada_language::types::{Nullable, SqlType};

/// How each part of the other table comes in.
struct Choices {
    constraints: Merging,
    partitions: Merging,
    generated: Merging,
    metadata: Merging,
    options: Merging,
    watermarks: Merging,
}

impl Choices {
    /// The defaults, then what is said of ALL, then what is said of one part.
    fn of(clause: &Like) -> Self {
        let all = clause.choices.iter().find(|c| c.feature == Feature::All);
        let all = all.map(|choice| choice.merging);
        let of = |feature, default| {
            let own = clause.choices.iter().find(|c| c.feature == feature);
            own.map(|choice| choice.merging).or(all).unwrap_or(default)
        };
        Choices {
            constraints: of(Feature::Constraints, Merging::Including),
            partitions: of(Feature::Partitions, Merging::Including),
            generated: of(Feature::Generated, Merging::Including),
            metadata: of(Feature::Metadata, Merging::Including),
            options: of(Feature::Options, Merging::Overwriting),
            watermarks: of(Feature::Watermarks, Merging::Including),
        }
    }
}

/// A declaration that takes from a table what LIKE says.
///
/// # Errors
/// What the statement declares is in the table already.
pub(super) fn merged(
    base: &Table,
    own: &Declaration,
    clause: &Like,
) -> Result<Declaration, PlanError> {
    let choices = Choices::of(clause);
    let from = &base.declaration;
    let mut merged = Declaration {
        comment: own.comment.clone(),
        columns: columns(base, own, &choices)?,
        ..Declaration::default()
    };
    let taken = |what: &str, excluding: &str, at: Option<Location>| {
        PlanError::new(
            PlanErrorKind::DuplicateName,
            format!("table {} has {what} already", base.name),
        )
        .hint(format!("say LIKE {} ({excluding})", clause.table))
        .at(at)
    };
    merged.watermark = match (&from.watermark, &own.watermark, choices.watermarks) {
        (Some(_), Some(new), Merging::Including) => {
            return Err(taken("a watermark", "OVERWRITING WATERMARKS", new.location));
        }
        (there, None, Merging::Including | Merging::Overwriting) => there.clone(),
        (_, new, _) => new.clone(),
    };
    merged.primary_key = match (&from.primary_key, &own.primary_key, choices.constraints) {
        (_, new, Merging::Excluding) => new.clone(),
        (Some(_), Some(new), _) => {
            return Err(taken(
                "a primary key",
                "EXCLUDING CONSTRAINTS",
                new.location,
            ));
        }
        (there, new, _) => new.clone().or_else(|| there.clone()),
    };
    let excluded = choices.partitions == Merging::Excluding;
    merged.partitioned_by = match (from.partitioned_by.first(), own.partitioned_by.first()) {
        (Some(_), Some(new)) if !excluded => {
            let at = Location::of(new.span);
            return Err(taken("partitions", "EXCLUDING PARTITIONS", at));
        }
        (Some(_), None) if !excluded => from.partitioned_by.clone(),
        _ => own.partitioned_by.clone(),
    };
    merged.options = options(base, own, choices.options)?;
    Ok(merged)
}

/// The columns of the table, as far as they come in, and then those of the statement.
fn columns(base: &Table, own: &Declaration, choices: &Choices) -> Result<Vec<Column>, PlanError> {
    let mut columns = Vec::new();
    for column in &base.declaration.columns {
        let merging = match &column.kind {
            ColumnKind::Physical(_) => Merging::Including,
            ColumnKind::Computed(_) => choices.generated,
            ColumnKind::Metadata { .. } => choices.metadata,
        };
        let new = own.column(&column.name.value);
        match (merging, new) {
            (Merging::Excluding, _) => {}
            (Merging::Overwriting, Some(_)) => {}
            (_, None) => columns.push(column.clone()),
            (Merging::Including, Some(new)) => {
                let (name, hint) = (
                    &new.name.value,
                    match &column.kind {
                        ColumnKind::Physical(_) => {
                            "columns that hold data always come in: leave it out, or give it another name"
                        }
                        ColumnKind::Computed(_) => {
                            "say OVERWRITING GENERATED or EXCLUDING GENERATED behind LIKE"
                        }
                        ColumnKind::Metadata { .. } => {
                            "say OVERWRITING METADATA or EXCLUDING METADATA behind LIKE"
                        }
                    },
                );
                return Err(PlanError::new(
                    PlanErrorKind::DuplicateName,
                    format!("table {} has a column {name} already", base.name),
                )
                .hint(hint)
                .at(Location::of(new.name.span)));
            }
        }
    }
    columns.extend(own.columns.iter().cloned());
    Ok(columns)
}

fn options(
    base: &Table,
    own: &Declaration,
    merging: Merging,
) -> Result<Vec<TableOption>, PlanError> {
    if merging == Merging::Excluding {
        return Ok(own.options.clone());
    }
    let mut options = base.declaration.options.clone();
    for new in &own.options {
        match options.iter_mut().find(|option| option.key == new.key) {
            None => options.push(new.clone()),
            Some(there) if merging == Merging::Overwriting => *there = new.clone(),
            Some(_) => {
                return Err(PlanError::new(
                    PlanErrorKind::DuplicateName,
                    format!("table {} has the option '{}' already", base.name, new.key),
                )
                .hint("say OVERWRITING OPTIONS behind LIKE")
                .at(new.key_location));
            }
        }
    }
    Ok(options)
}

/// A declaration with the columns of a query: first those that the statement declares beside them,
/// then the query's, whose types the statement may have declared. With `order`, the query's in that
/// order.
///
/// # Errors
/// A column has no type that a table could have, or `order` does not name the query's columns.
pub(crate) fn of_query(
    schema: &SchemaRef,
    own: &Declaration,
    order: &[Ident],
    query: &Query,
) -> Result<Declaration, PlanError> {
    let mut found = Vec::new();
    for field in schema.fields() {
        let name = field.name();
        let column = match own.column(name) {
            Some(declared) => declared.clone(),
            None => Column {
                name: Ident::with_quote('`', name.clone()),
                kind: ColumnKind::Physical(storable(Nullable::from_field(field), name, query)?),
                comment: None,
            },
        };
        if let ColumnKind::Computed(_)
        | ColumnKind::Metadata {
            is_virtual: true, ..
        } = &column.kind
        {
            return Err(PlanError::new(
                PlanErrorKind::InvalidStatement,
                format!("column {name} of the query is declared as one that cannot be written"),
            )
            .at(Location::of(column.name.span)));
        }
        found.push(column);
    }
    if !order.is_empty() {
        found = ordered(found, order)?;
    }
    let beside = own.columns.iter();
    let beside = beside.filter(|column| schema.index_of(&column.name.value).is_err());
    Ok(Declaration {
        columns: beside.cloned().chain(found).collect(),
        ..own.clone()
    })
}

/// The type that a table has for a column of a query.
/// Columns of a table that has these.
pub(crate) fn columns_of_schema(schema: &Schema) -> Vec<Column> {
    let column = |field: &Arc<Field>| Column {
        name: Ident::with_quote('`', field.name().clone()),
        kind: ColumnKind::Physical(Nullable::from_field(field)),
        comment: None,
    };
    schema.fields().iter().map(column).collect()
}

fn storable(data_type: Nullable, name: &str, query: &Query) -> Result<Nullable, PlanError> {
    let sql_type = match data_type.sql_type {
        SqlType::Unsigned(8) => SqlType::SmallInt,
        SqlType::Unsigned(16) => SqlType::Int,
        SqlType::Unsigned(_) => SqlType::BigInt,
        found @ (SqlType::Null | SqlType::Interval) => {
            return Err(PlanError::new(
                PlanErrorKind::InvalidType,
                format!("column {name} of the query is {found}, which no column of a table can be"),
            )
            .hint("use CAST(… AS …)")
            .at(Some(query.location)));
        }
        other => other,
    };
    let nullable = data_type.nullable;
    Ok(Nullable { sql_type, nullable })
}

fn ordered(mut found: Vec<parser::Column>, order: &[Ident]) -> Result<Vec<Column>, PlanError> {
    let mut sorted = Vec::new();
    for ident in order {
        let known: Vec<String> = found.iter().map(|c| c.name.value.clone()).collect();
        let known = || known.iter().map(String::as_str);
        let position = names::resolve(&ident.value, known())
            .and_then(|name| found.iter().position(|column| column.name.value == name));
        match position {
            Some(position) => sorted.push(found.remove(position)),
            None => {
                return Err(PlanError::new(
                    PlanErrorKind::UnknownColumn,
                    format!("column {} is not among those of the query", ident.value),
                )
                .suggest(&ident.value, known())
                .at(Location::of(ident.span)));
            }
        }
    }
    match (found.first(), order.last()) {
        (Some(left), Some(last)) => Err(PlanError::new(
            PlanErrorKind::InvalidStatement,
            format!("column {} of the query is not in the list", left.name.value),
        )
        .hint("name all columns of the query, or none")
        .at(Location::of(last.span))),
        _ => Ok(sorted),
    }
}
