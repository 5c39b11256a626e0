//! Values: fixed rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::logical_expr::{Expr, ExprSchemable};

use super::{Attribute, Properties};
use crate::logical::Resolver;
use levada_language::error::PlanError;

/// Fixed rows.
#[derive(Debug, Clone)]
pub struct Values {
    /// The rows.
    pub rows: RecordBatch,
}

impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}

impl Eq for Values {}

impl std::hash::Hash for Values {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        // Equality compares the rows; few plans have several VALUES, so this is enough.
        self.rows.num_rows().hash(state);
        self.rows.schema().hash(state);
    }
}

impl Values {
    /// One row whose only column means nothing, for SELECT without FROM; or no row.
    pub(super) fn placeholder(one_row: bool) -> Result<Self, PlanError> {
        let schema = Arc::new(Schema::new(vec![Field::new(
            "nothing",
            DataType::Boolean,
            true,
        )]));
        let array: ArrayRef = Arc::new(BooleanArray::from(vec![None; usize::from(one_row)]));
        Ok(Values {
            rows: RecordBatch::try_new(schema, vec![array]).map_err(broken)?,
        })
    }

    /// No row of this schema.
    pub(super) fn empty(schema: SchemaRef) -> Self {
        Values {
            rows: RecordBatch::new_empty(schema),
        }
    }

    /// Evaluates the expressions of VALUES.
    pub(super) fn evaluate(
        resolver: &Resolver,
        rows: &[Vec<Expr>],
        schema: &DFSchema,
    ) -> Result<Self, PlanError> {
        let nothing = DFSchema::empty();
        let options = RecordBatchOptions::new().with_row_count(Some(1));
        let one_row =
            RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)
                .map_err(broken)?;
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (index, field) in schema.fields().iter().enumerate() {
            let mut parts: Vec<ArrayRef> = vec![new_null_array(field.data_type(), 0)];
            for row in rows {
                let expr = row
                    .get(index)
                    .ok_or_else(|| PlanError::internal("a row is short"))?;
                let expr = expr.clone().cast_to(field.data_type(), &nothing)?;
                let value = resolver.physical(&expr, &nothing)?.evaluate(&one_row)?;
                parts.push(value.into_array(1)?);
            }
            let parts: Vec<&dyn arrow::array::Array> = parts.iter().map(|a| a.as_ref()).collect();
            columns.push(concat(&parts).map_err(broken)?);
        }
        let fields: Vec<Field> = schema
            .fields()
            .iter()
            .map(|f| Field::new(f.name(), f.data_type().clone(), true))
            .collect();
        let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(broken)?;
        Ok(Values { rows })
    }

    /// What is known about the rows.
    pub(super) fn properties(&self) -> Properties {
        let mut properties = Properties::appending(self.rows.schema(), true);
        if self.rows.num_rows() == 0 {
            // No row is late; a query that has none keeps its meaning.
            let is_time = |field: &Arc<Field>| matches!(field.data_type(), DataType::Timestamp(..));
            let fields = self.rows.schema_ref().fields().iter();
            let attribute = |field| match is_time(field) {
                true => Attribute::EventTime,
                false => Attribute::None,
            };
            properties.attributes = fields.map(attribute).collect();
        }
        properties
    }
}

fn broken(error: arrow::error::ArrowError) -> PlanError {
    datafusion::error::DataFusionError::from(error).into()
}
