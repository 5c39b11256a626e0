//! Names of nested fields: `bid.price` is a column called `price`.

use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion::common::{Column, Result, TableReference};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult};
use datafusion::logical_expr::{Expr, ScalarUDF, lit};

/// Plans `column.field.field` so that the result is named after the last field.
#[derive(Debug)]
pub(super) struct FieldNames {
    /// DataFusion's function that takes a field.
    pub(super) get_field: Arc<ScalarUDF>,
}

impl ExprPlanner for FieldNames {
    fn plan_compound_identifier(
        &self,
        field: &Field,
        qualifier: Option<&TableReference>,
        nested_names: &[String],
    ) -> Result<PlannerResult<Vec<Expr>>> {
        let Some(last) = nested_names.last() else {
            return Ok(PlannerResult::Original(Vec::new()));
        };
        let column = Expr::Column(Column::from((qualifier, field)));
        let access = nested_names.iter().fold(column, |expr, name| {
            self.get_field.call(vec![expr, lit(name.clone())])
        });
        Ok(PlannerResult::Planned(access.alias(last)))
    }
}
