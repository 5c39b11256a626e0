//! What the columns of UNNEST are called.

use arrow::datatypes::{DataType, FieldRef};
use sqlparser::ast::{Expr, TableAlias};

use super::scope::{Column, Relation, Scope};

/// The column of WITH ORDINALITY where its alias says nothing else.
const ORDINALITY: &str = "ordinality";

/// A column that UNNEST makes of each element.
#[derive(Debug, Clone)]
pub(crate) struct ElementColumn {
    /// The name of a field of a ROW, or of a side of a MAP; an element that is a plain value has none.
    pub(crate) name: Option<String>,
    /// Its type, and whether it may be NULL in an element that is there.
    pub(crate) field: FieldRef,
}

/// The columns that UNNEST makes of the elements of a collection: of a ROW its fields, of an entry of a MAP its
/// key and value. `None` for what is no collection.
pub(crate) fn element_columns(collection: &DataType) -> Option<Vec<ElementColumn>> {
    let named = |name: &str, field: &FieldRef| ElementColumn {
        name: Some(name.to_string()),
        field: field.clone(),
    };
    let element = match collection {
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _) => element,
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(sides) => {
                let sides = ["key", "value"].iter().zip(sides);
                return Some(sides.map(|(name, field)| named(name, field)).collect());
            }
            _ => return None,
        },
        _ => return None,
    };
    Some(match element.data_type() {
        DataType::Struct(fields) => {
            let of_row = |field: &FieldRef| {
                let nullable = field.is_nullable() || element.is_nullable();
                let field = field.as_ref().clone().with_nullable(nullable);
                named(&field.name().clone(), &field.into())
            };
            fields.iter().map(of_row).collect()
        }
        _ => vec![ElementColumn {
            name: None,
            field: element.clone(),
        }],
    })
}

/// What the columns are called: as the alias says, or else by themselves. A plain value is called like the
/// alias.
///
/// # Errors
/// The names that they have by themselves, where the alias names another number of columns.
pub(crate) fn column_names(
    columns: &[ElementColumn],
    ordinality: bool,
    alias: &TableAlias,
) -> Result<Vec<String>, Vec<String>> {
    let own = |column: &ElementColumn| match &column.name {
        Some(name) => name.clone(),
        None => alias.name.value.clone(),
    };
    let mut names: Vec<String> = columns.iter().map(own).collect();
    if ordinality {
        names.push(ORDINALITY.to_string());
    }
    match alias.columns.len() {
        0 => Ok(names),
        given if given == names.len() => Ok(given_names(alias).collect()),
        _ => Err(names),
    }
}

fn given_names(alias: &TableAlias) -> impl Iterator<Item = String> + '_ {
    alias.columns.iter().map(|given| given.name.value.clone())
}

/// The relation of an UNNEST, over what stands left of it. Of an expression whose type is not known here, the
/// columns are those that its alias names.
pub(super) fn relation(
    collection: Option<&Expr>,
    ordinality: bool,
    alias: &TableAlias,
    left: &Scope,
) -> Relation {
    let data_type = collection.and_then(|e| super::data_type(e, left));
    let known = data_type.and_then(|t| element_columns(&t));
    let named = known.and_then(|columns| {
        let names = column_names(&columns, ordinality, alias).ok()?;
        Some((columns, names))
    });
    let columns = match named {
        Some((columns, names)) => {
            let types = columns.iter().map(|c| Some(c.field.data_type().clone()));
            let column = |(name, data_type)| Column { name, data_type };
            names
                .into_iter()
                .zip(types.chain([None]))
                .map(column)
                .collect()
        }
        None if alias.columns.is_empty() => vec![Column::untyped(alias.name.value.clone())],
        None => given_names(alias).map(Column::untyped).collect(),
    };
    Relation {
        name: vec![alias.name.value.clone()],
        columns,
    }
}
