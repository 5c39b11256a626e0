//! DESCRIBE.

use std::collections::BTreeMap;

use levada_language::types::SqlType;
use levada_planner::catalog::{Column, ColumnKind, Object, Table, View};
use levada_planner::parser::{Describe, NamePattern};
use sqlparser::ast::{Ident, ObjectName};

use super::Session;
use crate::error::Result;
use crate::outcome::{Outcome, text_table};

type Row = Vec<Option<String>>;

impl Session {
    pub(super) async fn describe(&self, describe: &Describe) -> Result<Outcome> {
        match describe {
            Describe::Table(name) => self.columns(name, None),
            Describe::Function(name) => self.describe_function(name),
            Describe::Database { name, extended } => self.describe_database(name, *extended),
            Describe::Catalog { name, extended } => self.describe_catalog(name, *extended),
            Describe::Job(id, location) => self.describe_job(id, *location).await,
        }
    }

    /// A row for each column: name, type, whether it may be NULL, the key it belongs to, where it
    /// comes from, the watermark declared on it, and its comment if any column has one.
    pub(super) fn columns(&self, name: &ObjectName, like: Option<&NamePattern>) -> Result<Outcome> {
        let (_, object) = self.planning.lookup().find(name)?;
        let mut rows = match object {
            Object::Table(table) => describe_table(&table),
            Object::View(view) => self.describe_view(&view)?,
        };
        if let Some(like) = like {
            rows.retain(|row| matches!(row.first(), Some(Some(name)) if like.accepts(name)));
        }
        let mut titles = vec!["name", "type", "null", "key", "extras", "watermark"];
        if rows.iter().any(|row| row.len() > titles.len()) {
            titles.push("comment");
        }
        text_table(&titles, rows)
    }

    fn describe_view(&self, view: &View) -> Result<Vec<Row>> {
        let schema = self.planning.view_schema(view)?;
        let describe = |field: &std::sync::Arc<arrow::datatypes::Field>| {
            let sql_type = SqlType::from_arrow(field.data_type());
            row([field.name(), &sql_type.to_string()], field.is_nullable())
        };
        Ok(schema.fields().iter().map(describe).collect())
    }

    fn describe_function(&self, name: &ObjectName) -> Result<Outcome> {
        let lookup = self.planning.lookup();
        let Some(function) = lookup.function(name, false)? else {
            return Err(lookup.unknown_function(name).into());
        };
        let rows = vec![
            info("signature", function.signature()),
            info("returns", function.returns.to_string()),
            info("language", function.body.language().to_string()),
            info("body", function.body.text()),
            info("temporary", function.temporary.to_string()),
            info("system function", function.system.to_string()),
        ];
        text_table(&["info name", "info value"], rows)
    }

    fn describe_database(&self, name: &ObjectName, extended: bool) -> Result<Outcome> {
        let lookup = self.planning.lookup();
        let place = lookup.database(name)?;
        let entry = lookup.catalogs().entry(&place.catalog);
        let found = entry.and_then(|entry| entry.catalog.database(&place.database));
        let database = found.unwrap_or_default();
        let mut rows = vec![
            info("name", place.database),
            vec![Some("comment".to_string()), database.comment],
        ];
        if extended {
            rows.push(info("properties", shown(&database.properties)));
        }
        text_table(&["info name", "info value"], rows)
    }

    fn describe_catalog(&self, name: &Ident, extended: bool) -> Result<Outcome> {
        let (name, entry) = self.planning.lookup().catalog(name)?;
        let kind = entry.options.get("type").cloned();
        let mut rows = vec![
            info("name", name),
            vec![Some("type".to_string()), kind],
            vec![Some("comment".to_string()), entry.comment],
        ];
        if extended {
            let options = entry.options.into_iter().filter(|(key, _)| key != "type");
            rows.extend(options.map(|(key, value)| info(&format!("option:{key}"), value)));
        }
        text_table(&["info name", "info value"], rows)
    }
}

fn info(name: &str, value: String) -> Row {
    vec![Some(name.to_string()), Some(value)]
}

fn shown(properties: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = properties
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.join(", ")
}

fn row<const N: usize>(first: [&str; N], nullable: bool) -> Row {
    let mut cells: Row = first.iter().map(|text| Some(text.to_string())).collect();
    cells.push(Some(nullable.to_string()));
    cells
}

fn describe_table(table: &Table) -> Vec<Row> {
    let key = table.names_of(&table.primary_key).join(", ");
    let has_comments = table.columns.iter().any(|column| column.comment.is_some());
    let describe = |(position, column): (usize, &Column)| {
        let sql_type = column.data_type.sql_type.to_string();
        let mut cells = row([&column.name, &sql_type], column.data_type.nullable);
        let in_key = table.primary_key.contains(&position);
        cells.push(in_key.then(|| format!("PRI({key})")));
        cells.push(extras(column));
        let watermark = table.watermark.as_ref().filter(|w| w.column == position);
        cells.push(watermark.map(|w| w.expression.text.clone()));
        if has_comments {
            cells.push(column.comment.clone());
        }
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
