//! Tables and views as the statements that would create them.

use std::fmt::Write as _;

use super::{CatalogEntry, Column, ColumnKind, ObjectPath, Place, Table, View};
use levada_language::types::{quote_name, quote_text};

/// CREATE TABLE as SHOW CREATE TABLE prints it: a statement that makes the same table.
pub fn create_table_sql(table: &Table) -> String {
    let mut lines: Vec<String> = table.columns.iter().map(column_sql).collect();
    if let Some(watermark) = &table.watermark {
        let column = table.names_of(&[watermark.column]).join("");
        lines.push(format!(
            "WATERMARK FOR {} AS {}",
            quote_name(&column),
            watermark.expression.text
        ));
    }
    if !table.primary_key.is_empty() {
        let key = names(&table.names_of(&table.primary_key));
        lines.push(format!("PRIMARY KEY ({key}) NOT ENFORCED"));
    }
    let temporary = if table.temporary { "TEMPORARY " } else { "" };
    let mut sql = format!("CREATE {temporary}TABLE {} (\n  ", quoted(&table.path));
    sql.push_str(&lines.join(",\n  "));
    sql.push_str("\n)");
    if let Some(comment) = &table.comment {
        let _ = write!(sql, "\nCOMMENT {}", quote_text(comment));
    }
    if !table.partitioned_by.is_empty() {
        let columns = names(&table.names_of(&table.partitioned_by));
        let _ = write!(sql, "\nPARTITIONED BY ({columns})");
    }
    let options: Vec<String> = table
        .options
        .iter()
        .map(|(key, value)| format!("{} = {}", quote_text(key), quote_text(value)))
        .collect();
    let _ = write!(sql, "\nWITH (\n  {}\n)", options.join(",\n  "));
    sql
}

/// CREATE VIEW as SHOW CREATE VIEW prints it.
pub fn create_view_sql(view: &View) -> String {
    let temporary = if view.temporary { "TEMPORARY " } else { "" };
    let mut sql = format!("CREATE {temporary}VIEW {}", quoted(&view.path));
    if !view.columns.is_empty() {
        let _ = write!(sql, " ({})", names(&view.columns));
    }
    if let Some(comment) = &view.comment {
        let _ = write!(sql, " COMMENT {}", quote_text(comment));
    }
    let _ = write!(sql, " AS\n{}", view.query.text);
    sql
}

/// CREATE MATERIALIZED VIEW as SHOW CREATE MATERIALIZED VIEW prints it.
pub fn create_materialized_view_sql(view: &Table) -> String {
    let mut sql = format!("CREATE MATERIALIZED VIEW {}", quoted(&view.path));
    let columns: Vec<String> = view.columns.iter().map(|c| c.name.clone()).collect();
    let _ = write!(sql, " ({})", names(&columns));
    if let Some(comment) = &view.comment {
        let _ = write!(sql, " COMMENT {}", quote_text(comment));
    }
    let query = view.option(crate::materialized::QUERY).unwrap_or_default();
    let _ = write!(sql, " AS\n{query}");
    sql
}

/// CREATE CATALOG as SHOW CREATE CATALOG prints it.
pub fn create_catalog_sql(name: &str, entry: &CatalogEntry) -> String {
    let mut sql = format!("CREATE CATALOG {}", quote_name(name));
    if let Some(comment) = &entry.comment {
        let _ = write!(sql, "\nCOMMENT {}", quote_text(comment));
    }
    let options = entry.options.iter();
    let options: Vec<String> = options
        .map(|(key, value)| format!("{} = {}", quote_text(key), quote_text(value)))
        .collect();
    let _ = write!(sql, "\nWITH (\n  {}\n)", options.join(",\n  "));
    sql
}

/// The name alone in the database that sessions begin in, else the full name.
fn quoted(path: &ObjectPath) -> String {
    let ObjectPath { place, name } = path;
    match *place == Place::default() {
        true => quote_name(name),
        false => [&place.catalog, &place.database, name]
            .map(|part| quote_name(part))
            .join("."),
    }
}

fn column_sql(column: &Column) -> String {
    let name = quote_name(&column.name);
    let mut sql = match &column.kind {
        ColumnKind::Physical => format!("{name} {}", column.data_type),
        ColumnKind::Metadata { key, is_virtual } => {
            let mut sql = format!("{name} {} METADATA", column.data_type);
            if key != &column.name {
                let _ = write!(sql, " FROM {}", quote_text(key));
            }
            if *is_virtual {
                sql.push_str(" VIRTUAL");
            }
            sql
        }
        ColumnKind::Computed(computed) => format!("{name} AS {}", computed.text),
    };
    if let Some(comment) = &column.comment {
        let _ = write!(sql, " COMMENT {}", quote_text(comment));
    }
    sql
}

fn names(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| quote_name(name)).collect();
    quoted.join(", ")
}
