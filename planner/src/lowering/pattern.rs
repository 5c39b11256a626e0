//! Patterns become operators: rows travel to where their partition is.

use arrow::datatypes::Schema;
use levada_engine::graph::{
    OperatorSpec, PatternCondition, PatternSpec, PatternVariable, Reference, WireSchema,
};

use super::lineage::Lineage;
use super::operators::{Lowering, Operator, encode};
use super::rank::{ordered, rows_of};
use crate::streaming::{Node, PatternMatch};
use levada_language::error::PlanError;

impl Lowering<'_> {
    pub(super) fn pattern(
        &mut self,
        pattern: &PatternMatch,
        node: &Node,
    ) -> Result<usize, PlanError> {
        let input = self.input_of(node)?;
        let by_key = self.by_key(input, &pattern.partition_by)?;
        let source = self.get(input)?;
        let below = &source.lineage;
        let spec = pattern_spec(pattern, WireSchema(source.schema.clone()))?;
        let content = content(pattern, &spec, below, &source.schema);
        let width = source.schema.fields().len();
        let given = pattern
            .given(width)
            .into_iter()
            .map(|column| below.column(column));
        let measures = pattern.measures.iter();
        let measures = measures.map(|measure| format!("{content} {}", named(measure, below)));
        let columns: Vec<String> = given.chain(measures).collect();
        let lineage = Lineage::base(&content, &[below], columns);
        let parallelism = by_key.parallelism();
        let inputs = vec![self.main(input, by_key.partitioning())?];
        let uid = self.uid(&content, &[input]);
        Ok(self.push(Operator {
            uid,
            lineage,
            name: "Match".to_string(),
            spec: OperatorSpec::Pattern(Box::new(spec)),
            inputs,
            schema: node.properties.schema.clone(),
            parallelism,
        }))
    }
}

/// A pattern as the job graph writes it.
pub(crate) fn pattern_spec(
    pattern: &PatternMatch,
    rows: WireSchema,
) -> Result<PatternSpec, PlanError> {
    let mut variables = Vec::new();
    for variable in &pattern.variables {
        let condition = match &variable.condition {
            None => None,
            Some(condition) => Some(PatternCondition {
                values: condition.values.clone(),
                schema: WireSchema(condition.schema.clone()),
                expression: encode(&condition.expr)?,
            }),
        };
        variables.push(PatternVariable {
            name: variable.name.clone(),
            condition,
        });
    }
    Ok(PatternSpec {
        rows,
        partition_by: pattern.partition_by.clone(),
        order_by: pattern.order_by.clone(),
        pattern: pattern.pattern.clone(),
        variables,
        measures: pattern.measures.clone(),
        all_rows: pattern.all_rows,
        skip: pattern.skip,
        within_ms: pattern.within_ms,
        gives_time: pattern.gives_time(),
    })
}

/// What the operator does and keeps, for its ids: rows that are remembered are of use only for the same pattern.
fn content(
    pattern: &PatternMatch,
    spec: &PatternSpec,
    lineage: &Lineage,
    schema: &Schema,
) -> String {
    let variable = |variable: &PatternVariable| match &variable.condition {
        None => variable.name.clone(),
        Some(condition) => {
            let values = condition.values.iter().map(|value| named(value, lineage));
            let values: Vec<String> = values.collect();
            let expression = &condition.expression.text;
            format!("{} AS {expression} of {}", variable.name, values.join(", "))
        }
    };
    let variables: Vec<String> = spec.variables.iter().map(variable).collect();
    // How far measures look back, and whether they count, says what is kept.
    let looks_back = pattern.measures.iter().map(Reference::looks_back).max();
    let counts = pattern.measures.contains(&Reference::MatchNumber);
    format!(
        "Match {:?} by {} order {} skip {:?} within {:?} back {} counts {counts} variables={} rows={}",
        pattern.pattern,
        lineage.names(&pattern.partition_by).join("\u{1f}"),
        ordered(&pattern.order_by, lineage),
        pattern.skip,
        pattern.within_ms,
        looks_back.unwrap_or(0),
        variables.join("\u{1f}"),
        rows_of(lineage, schema),
    )
}

/// A value by the name of its column.
fn named(value: &Reference, lineage: &Lineage) -> String {
    let column = match value {
        Reference::Row { column, .. } => Some(*column),
        Reference::Aggregate { column, .. } => *column,
        _ => None,
    };
    let column = column
        .map(|column| lineage.column(column))
        .unwrap_or_default();
    let value = match *value {
        Reference::Row {
            variables,
            first,
            offset,
            shift,
            running,
            ..
        } => format!("row {variables} {first} {offset} {shift} {running}"),
        Reference::Aggregate {
            function,
            distinct,
            variables,
            running,
            ..
        } => format!("{function:?} {distinct} {variables} {running}"),
        Reference::Classifier => "classifier".to_string(),
        Reference::MatchNumber => "match number".to_string(),
    };
    format!("{value} of {column}")
}
