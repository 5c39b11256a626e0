//! Calc: filters, then projects.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::ScalarFunctionExpr;
use datafusion::physical_expr::expressions::BinaryExpr;

use super::expression::{self, ExprRef};
use super::{Attribute, Properties};
use levada_language::error::PlanError;

/// The function that gives processing time.
const PROCTIME: &str = "proctime";

/// Filters and projects.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Calc {
    /// A condition over the input; NULL counts as false.
    pub filter: Option<ExprRef>,
    /// Expressions over the input, one for each column of the output.
    pub projection: Vec<ExprRef>,
}

impl Calc {
    /// What is known about the rows, given their names and the input.
    pub(super) fn properties(
        &self,
        names: &[String],
        input: &Properties,
    ) -> Result<Properties, PlanError> {
        let schema = schema_of(&self.projection, names, &input.schema)?;
        let attributes = self
            .projection
            .iter()
            .map(|e| attribute_of(e, input))
            .collect();
        Ok(Properties {
            schema,
            attributes,
            updating: input.updating,
            keys: self.keys(input),
            bounded: input.bounded,
            mode: input.mode,
        })
    }

    /// The keys of the input of which every column is still there.
    fn keys(&self, input: &Properties) -> Vec<Vec<usize>> {
        let keys = input.keys.iter();
        keys.filter_map(|key| self.places(key)).collect()
    }

    /// Where columns of the input are in the output, if every one is still there.
    pub(super) fn places(&self, columns: &[usize]) -> Option<Vec<usize>> {
        let place = |column: &usize| {
            let mut output = self.projection.iter();
            output.position(|e| expression::as_column(e) == Some(*column))
        };
        columns.iter().map(place).collect()
    }

    /// Whether it passes all columns of the input through, in their order.
    pub fn is_identity(&self, input: &Schema) -> bool {
        let in_place = |(index, e): (usize, &ExprRef)| expression::as_column(e) == Some(index);
        self.filter.is_none()
            && self.projection.len() == input.fields().len()
            && self.projection.iter().enumerate().all(in_place)
    }

    /// Whether it does no more than pick columns.
    pub(crate) fn only_picks(&self) -> bool {
        let plain = |e: &ExprRef| expression::as_column(e).is_some();
        self.filter.is_none() && self.projection.iter().all(plain)
    }

    /// Whether it reads a column of the input.
    pub(super) fn reads(&self, column: usize) -> bool {
        let mut parts = self.projection.iter().chain(&self.filter);
        parts.any(|e| expression::columns_of(e).contains(&column))
    }

    /// This calc after `inner`, in one; `None` if that would evaluate something costly twice, or
    /// something that varies another number of times than before.
    pub(super) fn after(&self, inner: &Calc) -> Result<Option<Calc>, PlanError> {
        let mut counts = vec![0usize; inner.projection.len()];
        let parts = self.projection.iter().chain(&self.filter);
        parts.for_each(|e| expression::count_columns(e, &mut counts));
        let fits = |(e, count): (&ExprRef, &usize)| match count {
            0 => true,
            1 => self.filter.is_none() || !expression::varies(e),
            _ => expression::is_cheap(e),
        };
        if !inner.projection.iter().zip(&counts).all(fits) {
            return Ok(None);
        }
        self.forced_after(inner).map(Some)
    }

    /// This calc after `inner`, in one, whatever it costs.
    pub(super) fn forced_after(&self, inner: &Calc) -> Result<Calc, PlanError> {
        let substitute = |e: &ExprRef| expression::substitute(e, &inner.projection);
        let own = self.filter.as_ref().map(substitute).transpose()?;
        Ok(Calc {
            filter: and(inner.filter.clone(), own),
            projection: self
                .projection
                .iter()
                .map(substitute)
                .collect::<Result<_, _>>()?,
        })
    }
}

/// Both conditions, if there are two.
pub(super) fn and(first: Option<ExprRef>, second: Option<ExprRef>) -> Option<ExprRef> {
    match (first, second) {
        (Some(a), Some(b)) => Some(Arc::new(BinaryExpr::new(a, Operator::And, b))),
        (a, b) => a.or(b),
    }
}

/// Whether the expression reads processing time.
pub(super) fn is_proctime(expr: &ExprRef) -> bool {
    expr.downcast_ref::<ScalarFunctionExpr>()
        .is_some_and(|function| function.name().eq_ignore_ascii_case(PROCTIME))
}

/// What an expression over the input says about time.
pub(super) fn attribute_of(expr: &ExprRef, input: &Properties) -> Attribute {
    match expression::as_column(expr) {
        Some(index) => input.attribute(index),
        None if is_proctime(expr) => Attribute::ProcessingTime,
        None => Attribute::None,
    }
}

fn schema_of(
    projection: &[ExprRef],
    names: &[String],
    input: &SchemaRef,
) -> Result<SchemaRef, PlanError> {
    let field = |(expr, name): (&ExprRef, &String)| -> Result<Field, PlanError> {
        Ok(Field::new(
            name,
            expr.data_type(input)?,
            expr.nullable(input)?,
        ))
    };
    let fields: Vec<Field> = projection
        .iter()
        .zip(names)
        .map(field)
        .collect::<Result<_, _>>()?;
    Ok(Arc::new(Schema::new(fields)))
}
