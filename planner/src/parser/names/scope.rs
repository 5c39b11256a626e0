//! What is in sight of an expression: relations and their columns.

use arrow::datatypes::{DataType, Schema};
use sqlparser::ast::Ident;

use super::{fields, resolve};
use levada_language::error::{Location, PlanError, PlanErrorKind};
use levada_language::types::SqlType;

/// A column in sight. One without a name cannot be meant.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    /// Its type, if known; only ROWs matter, for the names of their fields.
    pub(super) data_type: Option<DataType>,
}

impl Column {
    pub(super) fn untyped(name: String) -> Self {
        Self {
            name,
            data_type: None,
        }
    }
}

/// A table, view or subquery in FROM.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Relation {
    /// Its alias, or the parts of its name; empty if it has none.
    pub(super) name: Vec<String>,
    pub(super) columns: Vec<Column>,
}

impl Relation {
    pub(super) fn unnamed(columns: Vec<Column>) -> Self {
        Self {
            name: Vec::new(),
            columns,
        }
    }

    pub(super) fn of_schema(name: Vec<String>, schema: &Schema) -> Self {
        let columns = schema
            .fields()
            .iter()
            .map(|field| Column {
                name: field.name().clone(),
                data_type: Some(field.data_type().clone()),
            })
            .collect();
        Self { name, columns }
    }

    fn column(&self, name: &str) -> Option<&Column> {
        let found = resolve(name, self.columns.iter().map(|column| column.name.as_str()))?;
        self.columns.iter().find(|column| column.name == found)
    }

    /// Whether the relation is called by `qualifier`, the last parts of its name.
    fn is_called(&self, qualifier: &[Ident], same: fn(&str, &str) -> bool) -> bool {
        !qualifier.is_empty()
            && qualifier.len() <= self.name.len()
            && qualifier
                .iter()
                .rev()
                .zip(self.name.iter().rev())
                .all(|(ident, part)| same(&ident.value, part))
    }
}

fn exactly(a: &str, b: &str) -> bool {
    a == b
}

fn in_any_case(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// The relations of one SELECT.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Scope {
    relations: Vec<Relation>,
}

/// What a path of names means: a relation's qualifier of `qualifier` parts (their case taken
/// from `relation`), and then a column.
struct Meaning<'s> {
    relation: Option<&'s Relation>,
    qualifier: usize,
    column: &'s Column,
}

impl Scope {
    pub(super) fn of_relation(relation: Relation) -> Self {
        Self {
            relations: vec![relation],
        }
    }

    pub(super) fn push(&mut self, relation: Relation) {
        self.relations.push(relation);
    }

    /// Whether a relation is called by exactly this name.
    pub(super) fn has(&self, name: &[String]) -> bool {
        self.relations.iter().any(|relation| relation.name == name)
    }

    /// The error of a column in USING that the joined tables do not share, as far as that is known.
    pub(super) fn unshared(&self, ident: &Ident) -> Option<PlanError> {
        let (right, left) = self.relations.split_last()?;
        let lacks = |relation: &Relation| relation.column(&ident.value).is_none();
        let known = self
            .relations
            .iter()
            .all(|relation| !relation.columns.is_empty());
        if !known || (!lacks(right) && !left.iter().all(lacks)) {
            return None;
        }
        let side = if lacks(right) { "right" } else { "left" };
        let error = PlanError::new(
            PlanErrorKind::UnknownColumn,
            format!(
                "USING names {}, which the {side} side of the join does not have",
                ident.value
            ),
        );
        Some(
            error
                .hint("USING takes columns of one name in both tables; else write ON a.x = b.y")
                .at(Location::of(ident.span)),
        )
    }

    pub(super) fn extend(&mut self, other: Scope) {
        self.relations.extend(other.relations);
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = &Column> {
        self.relations.iter().flat_map(|relation| &relation.columns)
    }

    /// The columns of a relation by its exact name.
    pub(super) fn columns_of(&self, name: &str) -> Vec<Column> {
        self.relations
            .iter()
            .filter(|relation| relation.name.last().is_some_and(|last| last == name))
            .flat_map(|relation| relation.columns.iter().cloned())
            .collect()
    }

    /// The name of the relation that `name` means.
    pub(super) fn relation_name(&self, name: &str) -> Option<String> {
        let names = self
            .relations
            .iter()
            .filter_map(|relation| relation.name.last());
        resolve(name, names.map(String::as_str)).map(str::to_string)
    }

    /// The name of the column that `name` means.
    pub(super) fn column_name(&self, name: &str) -> Option<String> {
        resolve(name, self.columns().map(|column| column.name.as_str())).map(str::to_string)
    }

    /// What a path means here. As in DataFusion, the longest qualifier wins.
    fn meaning(&self, path: &[Ident]) -> Option<Meaning<'_>> {
        for same in [exactly as fn(&str, &str) -> bool, in_any_case] {
            for length in (1..path.len().min(4)).rev() {
                let qualifier = path.get(..length)?;
                let name = path.get(length)?;
                let mut found = self
                    .relations
                    .iter()
                    .filter(|relation| relation.is_called(qualifier, same))
                    .filter_map(|relation| {
                        relation
                            .column(&name.value)
                            .map(|column| (relation, column))
                    });
                if let Some((relation, column)) = found.next() {
                    return Some(Meaning {
                        relation: Some(relation),
                        qualifier: length,
                        column,
                    });
                }
            }
        }
        let first = path.first()?;
        let name = resolve(
            &first.value,
            self.columns().map(|column| column.name.as_str()),
        )?;
        Some(Meaning {
            relation: None,
            qualifier: 0,
            column: self.columns().find(|column| column.name == name)?,
        })
    }

    /// The type of a resolved path.
    pub(super) fn type_of(&self, path: &[Ident]) -> Option<DataType> {
        let meaning = self.meaning(path)?;
        let mut data_type = meaning.column.data_type.clone()?;
        for ident in path.get(meaning.qualifier + 1..)? {
            let field = fields(&data_type)?
                .iter()
                .find(|field| *field.name() == ident.value)?;
            data_type = field.data_type().clone();
        }
        Some(data_type)
    }
}

/// Gives the names of a path the case of what they mean in the nearest scope that knows them.
pub(super) fn resolve_path(path: &mut [Ident], scopes: &[&Scope]) -> Result<(), PlanError> {
    let Some(meaning) = scopes.iter().rev().find_map(|scope| scope.meaning(path)) else {
        return Ok(());
    };
    let (qualifier, rest) = path.split_at_mut(meaning.qualifier);
    if let Some(relation) = meaning.relation {
        for (ident, part) in qualifier.iter_mut().rev().zip(relation.name.iter().rev()) {
            ident.value.clone_from(part);
        }
    }
    let Some((column, nested)) = rest.split_first_mut() else {
        return Ok(());
    };
    column.value.clone_from(&meaning.column.name);
    let Some(mut data_type) = meaning.column.data_type.as_ref() else {
        return Ok(());
    };
    let mut owner = column.value.clone();
    for ident in nested {
        let known = fields(data_type).ok_or_else(|| no_fields(&owner, data_type, ident))?;
        let names = known.iter().map(|field| field.name().as_str());
        let name = resolve(&ident.value, names.clone());
        let name = name.ok_or_else(|| no_such_field(&owner, ident, names))?;
        ident.value = name.to_string();
        if let Some(field) = known.iter().find(|field| *field.name() == ident.value) {
            data_type = field.data_type();
        }
        owner = format!("{owner}.{}", ident.value);
    }
    Ok(())
}

fn no_fields(owner: &str, data_type: &DataType, ident: &Ident) -> PlanError {
    let shown = SqlType::from_arrow(data_type);
    PlanError::new(
        PlanErrorKind::UnknownColumn,
        format!(
            "{owner} has no field {}: it is {shown}, not a ROW",
            ident.value
        ),
    )
    .at(Location::of(ident.span))
}

fn no_such_field<'a>(
    owner: &str,
    ident: &Ident,
    names: impl Iterator<Item = &'a str> + Clone,
) -> PlanError {
    let listed: Vec<&str> = names.clone().collect();
    PlanError::new(
        PlanErrorKind::UnknownColumn,
        format!("{owner} has no field {}", ident.value),
    )
    .detail(format!("its fields are {}", listed.join(", ")))
    .suggest(&ident.value, names)
    .at(Location::of(ident.span))
}
