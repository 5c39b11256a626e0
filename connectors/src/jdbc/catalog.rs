//! The table as the database has it, and how the declared columns meet it.

use arrow::datatypes::Schema;
use levada_engine::{EngineError, Result};
use tokio_postgres::{Client, Row};

use super::config::{TableName, quote};
use super::failure::Failure;
use super::types::{DatabaseType, Direction, Type, sql_name};
use crate::options::unknown_name;

/// The relation's number, its schema and name, and what kind of relation it is.
const RELATION: &str = "SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text, \
       c.relkind <> 'p' AND c.relhassubclass \
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)";

/// Its columns; those of a domain have the type beneath.
const COLUMNS: &str = "SELECT a.attname::text AS name, \
       CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END AS element, \
       t.typcategory = 'A' AS is_array, \
       CASE WHEN d.typtype = 'd' THEN d.typtypmod ELSE a.atttypmod END AS modifier, \
       format_type(a.atttypid, a.atttypmod) AS sql_name, \
       a.attnotnull AS not_null, \
       (a.atthasdef OR a.attidentity <> '' OR d.typdefault IS NOT NULL) AS has_default, \
       (a.attgenerated <> '' OR a.attidentity = 'a') AS generated \
     FROM pg_attribute a JOIN pg_type d ON d.oid = a.atttypid \
       JOIN pg_type t ON t.oid = CASE WHEN d.typtype = 'd' THEN d.typbasetype ELSE d.oid END \
     WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

/// Columns that identify a row, the primary key first.
const KEYS: &str = "SELECT ARRAY(SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY k(n, o) \
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n \
         WHERE k.o <= i.indnkeyatts ORDER BY k.o) AS columns, i.indisprimary AS is_primary \
     FROM pg_index i WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indimmediate \
       AND i.indpred IS NULL AND i.indexprs IS NULL ORDER BY i.indisprimary DESC, i.indexrelid";

/// A table of the database.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub name: TableName,
    /// `r` for a table, `v` for a view, and so on, as in `pg_class`.
    pub kind: String,
    /// Whether other tables inherit from it, whose rows are read with its own.
    pub has_children: bool,
    pub columns: Vec<TargetColumn>,
    /// The primary key and other unique sets of columns.
    pub keys: Vec<Key>,
}

/// Columns that identify a row.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub columns: Vec<String>,
    pub is_primary: bool,
}

/// A column of the database.
#[derive(Debug, Clone)]
pub(super) struct TargetColumn {
    pub name: String,
    pub data_type: DatabaseType,
    pub not_null: bool,
    pub has_default: bool,
    /// Computed by the database, which takes no value for it.
    pub generated: bool,
}

/// A declared column and what the database has for it.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub name: String,
    pub declared: Type,
    /// The width of the database's numbers in bytes.
    pub width: u8,
    /// The database's type of a value, or of the elements of an array.
    pub oid: u32,
}

impl Target {
    /// Asks the database.
    pub(super) async fn load(client: &Client, name: &TableName) -> Result<Self, Failure> {
        let Some(relation) = client.query_opt(RELATION, &[&name.quoted()]).await? else {
            return Err(Failure::Fatal(
                EngineError::config("there is no such table in the database")
                    .with_hint("create it there, or check the option 'table-name'; names are compared in their exact case"),
            ));
        };
        let oid: u32 = relation.try_get(0)?;
        let columns = client.query(COLUMNS, &[&oid]).await?;
        let columns: Result<Vec<_>, _> = columns.iter().map(TargetColumn::of_row).collect();
        let mut keys = Vec::new();
        for row in client.query(KEYS, &[&oid]).await? {
            keys.push(Key {
                columns: row.try_get(0)?,
                is_primary: row.try_get(1)?,
            });
        }
        Ok(Self {
            name: TableName {
                schema: Some(relation.try_get(1)?),
                name: relation.try_get(2)?,
            },
            kind: relation.try_get(3)?,
            has_children: relation.try_get(4)?,
            columns: columns?,
            keys,
        })
    }

    pub(super) fn column(&self, name: &str) -> Option<&TargetColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Matches the columns of `schema` with those of the database.
    pub(super) fn bind(&self, schema: &Schema, direction: Direction) -> Result<Vec<Column>> {
        let fields = schema.fields().iter();
        fields
            .map(|field| {
                let declared = Type::of(field)?;
                let name = field.name();
                let Some(column) = self.column(name) else {
                    let names: Vec<_> = self.columns.iter().map(|c| c.name.as_str()).collect();
                    let error = unknown_name("column", name, names);
                    let message = format!("the table in the database has no column '{name}'");
                    return Err(EngineError { message, ..error });
                };
                if direction == Direction::Write && column.generated {
                    return Err(EngineError::config(format!(
                        "column '{name}' is computed by the database and cannot be written"
                    ))
                    .with_hint("leave it out of the table's declaration"));
                }
                let fits = column.data_type.fits(declared, direction);
                fits.map_err(|but| mismatch(name, declared, &column.data_type, &but))?;
                Ok(Column {
                    name: name.clone(),
                    declared,
                    width: column.data_type.width(),
                    oid: column.data_type.oid,
                })
            })
            .collect()
    }

    /// Refuses a table with a column that needs a value and gets none.
    pub(super) fn check_complete(&self, schema: &Schema) -> Result<()> {
        let lacking = self.columns.iter().find(|column| {
            let needed = column.not_null && !column.has_default && !column.generated;
            needed && schema.fields().find(&column.name).is_none()
        });
        match lacking {
            None => Ok(()),
            Some(column) => Err(EngineError::config(format!(
                "column '{}' of the table in the database is NOT NULL and has no default, and no value is written to it",
                column.name
            ))
            .with_hint("add the column to the table's declaration")),
        }
    }

    /// Refuses a key that the database does not enforce.
    pub(super) fn check_key(&self, key: &[String]) -> Result<()> {
        let same = |unique: &Key| {
            unique.columns.len() == key.len() && key.iter().all(|k| unique.columns.contains(k))
        };
        if self.keys.iter().any(same) {
            return Ok(());
        }
        let list: Vec<String> = key.iter().map(|k| quote(k)).collect();
        let list = list.join(", ");
        Err(EngineError::config(format!(
            "the table in the database has no primary key or unique index on ({list}), by which rows could be replaced"
        ))
        .with_hint(format!(
            "ALTER TABLE {} ADD PRIMARY KEY ({list})",
            self.name.quoted()
        )))
    }
}

impl TargetColumn {
    fn of_row(row: &Row) -> Result<Self, Failure> {
        Ok(Self {
            name: row.try_get("name")?,
            data_type: DatabaseType {
                is_array: row.try_get("is_array")?,
                oid: row.try_get("element")?,
                modifier: row.try_get("modifier")?,
                name: row.try_get("sql_name")?,
            },
            not_null: row.try_get("not_null")?,
            has_default: row.try_get("has_default")?,
            generated: row.try_get("generated")?,
        })
    }
}

fn mismatch(name: &str, declared: Type, found: &DatabaseType, but: &str) -> EngineError {
    let but = match but {
        "" => String::new(),
        but => format!(", {but}"),
    };
    let error = EngineError::config(format!(
        "column '{name}' is declared {}, and is {} in the database{but}",
        sql_name(declared),
        found.name
    ));
    match found.suggestion() {
        Some(suggestion) => error.with_hint(format!("declare it {suggestion}")),
        None => error.with_hint(format!(
            "the type {} is not supported; leave the column out, or read it through a view that casts it",
            found.name
        )),
    }
}
