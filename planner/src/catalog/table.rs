//! Tables and views as the catalog keeps them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::logical_expr::Expr;
use levada_engine::connector::TableDescriptor;
use levada_engine::graph::WireSchema;

use super::place::{ObjectPath, Place};
use crate::parser::{self, Declaration};
use levada_language::types::Nullable;

/// A table: columns, what is known about time and keys, and the connector's options.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its full name.
    pub path: ObjectPath,
    /// What plans and messages call it.
    pub name: String,
    /// The columns in the order of the declaration.
    pub columns: Vec<Column>,
    /// WATERMARK FOR.
    pub watermark: Option<Watermark>,
    /// PRIMARY KEY, by position.
    pub primary_key: Vec<usize>,
    /// PARTITIONED BY, by position.
    pub partitioned_by: Vec<usize>,
    /// COMMENT.
    pub comment: Option<String>,
    /// WITH.
    pub options: BTreeMap<String, String>,
    /// Whether it was created with TEMPORARY.
    pub temporary: bool,
    /// What it was made from, without positions.
    pub declaration: Declaration,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: Nullable,
    /// Where its values come from.
    pub kind: ColumnKind,
    /// COMMENT.
    pub comment: Option<String>,
}

/// Where a column's values come from.
#[derive(Debug, Clone)]
pub enum ColumnKind {
    /// From the rows.
    Physical,
    /// From the connector or the format.
    Metadata {
        /// The key that the connector knows it by.
        key: String,
        /// Read and never written.
        is_virtual: bool,
    },
    /// From an expression over physical and metadata columns.
    Computed(Box<Computed>),
}

/// An expression over the columns of a table, by their unqualified names.
#[derive(Debug, Clone)]
pub struct Computed {
    /// As written.
    pub text: String,
    /// Resolved, with every coercion made explicit.
    pub expr: Expr,
}

/// WATERMARK FOR column AS expression.
#[derive(Debug, Clone)]
pub struct Watermark {
    /// The event-time column, by position.
    pub column: usize,
    /// The watermark of a row; its type is the column's.
    pub expression: Computed,
}

/// A view: a query by name.
#[derive(Debug, Clone)]
pub struct View {
    /// Its full name.
    pub path: ObjectPath,
    /// What messages call it.
    pub name: String,
    /// The database from which the names in its query are found.
    pub place: Arc<Place>,
    /// New names of the query's columns; empty keeps them.
    pub columns: Vec<String>,
    /// The columns that the query had when the view was created: those are what it shows.
    pub shown: Vec<String>,
    /// What it shows.
    pub query: parser::Query,
    /// COMMENT.
    pub comment: Option<String>,
    /// Whether it was created with TEMPORARY.
    pub temporary: bool,
}

impl Column {
    /// Whether INSERT gives a value to this column.
    pub fn is_persisted(&self) -> bool {
        match &self.kind {
            ColumnKind::Physical => true,
            ColumnKind::Metadata { is_virtual, .. } => !is_virtual,
            ColumnKind::Computed(_) => false,
        }
    }

    /// Whether the connector reads this column.
    pub fn is_read(&self) -> bool {
        !matches!(self.kind, ColumnKind::Computed(_))
    }
}

impl Table {
    /// All columns.
    pub fn schema(&self) -> SchemaRef {
        self.schema_of(|_| true)
    }

    /// The columns that a connector reads: physical and metadata.
    pub fn read_schema(&self) -> SchemaRef {
        self.schema_of(Column::is_read)
    }

    /// The columns that INSERT writes: physical and metadata that is not VIRTUAL.
    pub fn write_schema(&self) -> SchemaRef {
        self.schema_of(Column::is_persisted)
    }

    fn schema_of(&self, keep: impl Fn(&Column) -> bool) -> SchemaRef {
        let fields: Vec<Field> = self
            .columns
            .iter()
            .filter(|column| keep(column))
            .map(|column| column.data_type.to_field(&column.name))
            .collect();
        Arc::new(Schema::new(fields))
    }

    /// The table as its connector needs to know it for reading.
    pub fn source_descriptor(&self) -> TableDescriptor {
        self.descriptor(Column::is_read)
    }

    /// The table as its connector needs to know it for writing.
    pub fn sink_descriptor(&self) -> TableDescriptor {
        self.descriptor(Column::is_persisted)
    }

    fn descriptor(&self, keep: impl Fn(&Column) -> bool) -> TableDescriptor {
        let metadata = self
            .columns
            .iter()
            .filter(|c| keep(c))
            .filter_map(|column| match &column.kind {
                ColumnKind::Metadata { key, .. } => Some((column.name.clone(), key.clone())),
                _ => None,
            });
        let connector_options = self
            .options
            .iter()
            .filter(|(key, _)| !TableDescriptor::is_engine_option(key))
            .map(|(key, value)| (key.clone(), value.clone()));
        TableDescriptor {
            name: self.name.clone(),
            connector: self.option("connector").unwrap_or_default().to_string(),
            metadata: metadata.collect(),
            primary_key: self.names_of(&self.primary_key),
            partitioned_by: self.names_of(&self.partitioned_by),
            options: connector_options.collect(),
            schema: WireSchema(self.schema_of(keep)),
        }
    }

    /// The value of an option.
    pub fn option(&self, key: &str) -> Option<&str> {
        self.options.get(key).map(String::as_str)
    }

    /// Whether it is what a materialized view is to queries.
    pub fn is_materialized_view(&self) -> bool {
        self.option("connector") == Some(crate::materialized::CONNECTOR)
    }

    /// The names of columns by position.
    pub fn names_of(&self, positions: &[usize]) -> Vec<String> {
        positions
            .iter()
            .filter_map(|position| self.columns.get(*position))
            .map(|column| column.name.clone())
            .collect()
    }

    /// The position of the column with exactly this name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}
