//! Unnest: puts the elements of an array or map to each row.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use levada_engine::graph::UnnestColumn;

use super::build::Builder;
use super::expression::{self, ExprRef};
use super::{Attribute, Calc, Node, NodeId, NodeKind, Plan, Properties};
use crate::logical::UnnestTable;
use crate::parser::names::element_columns;
use levada_language::error::PlanError;

#[cfg(test)]
mod tests;

/// Puts to each row the elements of a collection that it has, once for each.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unnest {
    /// The column of the input with the collection.
    pub collection: usize,
    /// Whether a row without elements comes once, with NULL for them.
    pub outer: bool,
    /// What the output has, column by column.
    pub columns: Vec<UnnestColumn>,
}

impl Unnest {
    /// What is known about the rows; `names` are those of the columns.
    fn properties(&self, names: &[String], input: &Properties) -> Result<Properties, PlanError> {
        let fields = self
            .columns
            .iter()
            .zip(names)
            .map(|(column, name)| self.field(*column, name, input))
            .collect::<Result<Vec<_>, _>>()?;
        let attribute = |column: &UnnestColumn| match column {
            UnnestColumn::Input(index) => input.attribute(*index),
            _ => Attribute::None,
        };
        Ok(Properties {
            schema: Arc::new(Schema::new(fields)),
            attributes: self.columns.iter().map(attribute).collect(),
            updating: input.updating,
            keys: self.keys(input),
            bounded: input.bounded,
            mode: input.mode,
        })
    }

    fn field(
        &self,
        column: UnnestColumn,
        name: &str,
        input: &Properties,
    ) -> Result<Field, PlanError> {
        let missing = || PlanError::internal("an UNNEST gives a column that there is not");
        let fields = input.schema.fields();
        let collection = fields.get(self.collection).ok_or_else(missing)?;
        let of_element = |place: usize| {
            let columns = element_columns(collection.data_type());
            columns.and_then(|columns| columns.get(place).map(|c| Arc::clone(&c.field)))
        };
        let field = match column {
            UnnestColumn::Input(index) => {
                let field = fields.get(index).ok_or_else(missing)?;
                return Ok(field.as_ref().clone().with_name(name));
            }
            UnnestColumn::Element => of_element(0).ok_or_else(missing)?,
            UnnestColumn::Field(place) => of_element(place).ok_or_else(missing)?,
            UnnestColumn::Ordinality => Arc::new(Field::new(name, DataType::Int32, false)),
        };
        let nullable = field.is_nullable() || self.outer;
        Ok(Field::new(name, field.data_type().clone(), nullable))
    }

    /// An element is told from the others of its row by its number alone.
    fn keys(&self, input: &Properties) -> Vec<Vec<usize>> {
        let place = |wanted: UnnestColumn| self.columns.iter().position(|c| *c == wanted);
        let Some(number) = place(UnnestColumn::Ordinality) else {
            return Vec::new();
        };
        let with_number = |key: &Vec<usize>| {
            let columns = key.iter().map(|c| place(UnnestColumn::Input(*c)));
            columns.chain([Some(number)]).collect::<Option<Vec<_>>>()
        };
        input.keys.iter().filter_map(with_number).collect()
    }

    /// The columns of the input that these are.
    pub(super) fn of_input(&self, columns: &BTreeSet<usize>) -> BTreeSet<usize> {
        let input = |column: &usize| match self.columns.get(*column)? {
            UnnestColumn::Input(index) => Some(*index),
            _ => None,
        };
        columns.iter().filter_map(input).collect()
    }
}

impl Builder<'_> {
    pub(super) fn unnest(&mut self, table: &UnnestTable) -> Result<NodeId, PlanError> {
        let input = self.query(&table.input)?;
        let collection = self.expression(&table.collection, &table.input)?;
        let schema = Arc::clone(&self.properties(input)?.schema);
        // The row of an UNNEST by itself has no column, though a batch has one for it.
        let width = table.input.schema().fields().len();
        let data_type = expression::data_type(&collection, &schema)?;
        let own = element_columns(&data_type).unwrap_or_default();
        let own = own.iter().enumerate();
        let own = own.map(|(place, column)| match column.name {
            Some(_) => UnnestColumn::Field(place),
            None => UnnestColumn::Element,
        });
        let number = table.ordinality.then_some(UnnestColumn::Ordinality);
        let columns = (0..width).map(UnnestColumn::Input).chain(own).chain(number);
        let of_input = schema.fields().iter().take(width).map(|f| f.name().clone());
        let (_, own_names) = table.own_names();
        let names = of_input.chain(own_names.iter().cloned()).collect();
        let columns = columns.collect();
        self.unnest_column((input, collection), table.outer, columns, names)
    }

    /// The elements of a collection over an input, and columns of the input.
    pub(super) fn unnest_column(
        &mut self,
        (input, collection): (NodeId, ExprRef),
        outer: bool,
        columns: Vec<UnnestColumn>,
        names: Vec<String>,
    ) -> Result<NodeId, PlanError> {
        let (input, collection) = self.with_column(input, collection)?;
        let node = Unnest {
            collection,
            outer,
            columns,
        };
        let properties = node.properties(&names, self.properties(input)?)?;
        Ok(self
            .plan
            .add(NodeKind::Unnest(node), vec![input], properties))
    }

    /// The rows with a column that has the value of the expression, and the place of that column.
    fn with_column(&mut self, input: NodeId, expr: ExprRef) -> Result<(NodeId, usize), PlanError> {
        if let Some(index) = expression::as_column(&expr) {
            return Ok((input, index));
        }
        let schema = Arc::clone(&self.properties(input)?.schema);
        let width = schema.fields().len();
        let mut columns = expression::all_columns(&schema);
        let mut names = super::build::names(schema.fields());
        names.push(expression::text(&expr));
        columns.push(expr);
        Ok((self.calc(input, None, columns, names)?, width))
    }
}

/// Takes away the columns that nobody reads, such as the collection itself: what is passed on is copied for
/// each element.
///
/// # Errors
/// Only defects.
pub(super) fn drop_unread(plan: &mut Plan, live: &[bool]) -> Result<(), PlanError> {
    let is_live = |id: NodeId| live.get(id).copied().unwrap_or(false);
    let all: Vec<NodeId> = plan
        .iter()
        .filter(|(id, node)| is_live(*id) && matches!(node.kind, NodeKind::Unnest(_)))
        .map(|(id, _)| id)
        .collect();
    // What reads an UNNEST may be another one, which then reads less.
    for id in all.into_iter().rev() {
        let mut readers = Vec::new();
        let mut only_calcs = true;
        for (reader, node) in plan.iter().filter(|(reader, _)| is_live(*reader)) {
            match &node.kind {
                _ if !node.inputs.contains(&id) => {}
                NodeKind::Calc(calc) => readers.push((reader, calc.clone())),
                _ => only_calcs = false,
            }
        }
        if only_calcs {
            drop_columns(plan, id, &readers)?;
            drop_input_columns(plan, live, id)?;
        }
    }
    Ok(())
}

/// Takes away the columns of the calc in front that the elements are not put to any more.
fn drop_input_columns(plan: &mut Plan, live: &[bool], id: NodeId) -> Result<(), PlanError> {
    let Some((unnest, _, calc_id)) = unnest_of(plan, id) else {
        return Ok(());
    };
    let is_live = |id: NodeId| live.get(id).copied().unwrap_or(false);
    let reads = |(reader, node): &(NodeId, &Node)| {
        is_live(*reader) && *reader != id && node.inputs.contains(&calc_id)
    };
    let calc = plan.node(calc_id);
    let Some((calc, below)) = calc.and_then(|node| match (&node.kind, node.inputs.as_slice()) {
        (NodeKind::Calc(calc), [below]) => Some((calc.clone(), plan.node(*below)?)),
        _ => None,
    }) else {
        return Ok(());
    };
    if plan.iter().any(|entry| reads(&entry)) {
        return Ok(());
    }
    let own = (0..unnest.columns.len()).collect();
    let mut kept = unnest.of_input(&own);
    kept.insert(unnest.collection);
    let smaller = Calc {
        filter: calc.filter.clone(),
        projection: kept
            .iter()
            .filter_map(|c| calc.projection.get(*c).cloned())
            .collect(),
    };
    let fields = plan.node(calc_id).map(|node| &node.properties.schema);
    let name = |c: &usize| Some(fields?.fields().get(*c)?.name().clone());
    let names: Vec<String> = kept.iter().filter_map(name).collect();
    let properties = smaller.properties(&names, &below.properties)?;
    let place = |column: usize| kept.iter().position(|c| *c == column).unwrap_or(0);
    let moved = unnest.columns.iter().map(|column| match column {
        UnnestColumn::Input(index) => UnnestColumn::Input(place(*index)),
        other => *other,
    });
    let moved = Unnest {
        collection: place(unnest.collection),
        columns: moved.collect(),
        outer: unnest.outer,
    };
    if let Some(node) = plan.node_mut(calc_id) {
        node.kind = NodeKind::Calc(smaller);
        node.properties = properties;
    }
    if let Some(node) = plan.node_mut(id) {
        node.kind = NodeKind::Unnest(moved);
    }
    Ok(())
}

fn drop_columns(plan: &mut Plan, id: NodeId, readers: &[(NodeId, Calc)]) -> Result<(), PlanError> {
    let Some((unnest, properties, input)) = unnest_of(plan, id) else {
        return Ok(());
    };
    let Some(input) = plan.node(input).map(|node| node.properties.clone()) else {
        return Ok(());
    };
    let read = |column: &usize| readers.iter().any(|(_, calc)| calc.reads(*column));
    let kept: Vec<usize> = (0..unnest.columns.len()).filter(read).collect();
    let fields = properties.schema.fields();
    let name = |column: &usize| fields.get(*column).map(|f| f.name().clone());
    let names: Vec<String> = kept.iter().filter_map(name).collect();
    let columns = kept.iter().filter_map(|c| unnest.columns.get(*c).copied());
    let smaller = Unnest {
        columns: columns.collect(),
        ..unnest.clone()
    };
    let new = smaller.properties(&names, &input)?;
    let mut positions = vec![None; unnest.columns.len()];
    for (place, column) in kept.iter().enumerate() {
        if let Some(slot) = positions.get_mut(*column) {
            *slot = Some(place);
        }
    }
    for (reader, calc) in readers {
        let rebase = |e: &ExprRef| expression::rebase(e, &new.schema, &positions);
        let calc = Calc {
            filter: calc.filter.as_ref().map(rebase).transpose()?,
            projection: calc
                .projection
                .iter()
                .map(rebase)
                .collect::<Result<_, _>>()?,
        };
        if let Some(node) = plan.node_mut(*reader) {
            node.kind = NodeKind::Calc(calc);
        }
    }
    if let Some(node) = plan.node_mut(id) {
        node.kind = NodeKind::Unnest(smaller);
        node.properties = new;
    }
    Ok(())
}

/// An UNNEST, what is known about its rows, and its input.
fn unnest_of(plan: &Plan, id: NodeId) -> Option<(Unnest, Properties, NodeId)> {
    let node = plan.node(id)?;
    let NodeKind::Unnest(unnest) = &node.kind else {
        return None;
    };
    let input = node.inputs.first()?;
    Some((unnest.clone(), node.properties.clone(), *input))
}
