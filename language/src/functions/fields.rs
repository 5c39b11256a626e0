//! Parts of values: `bid.price`, which is a column called `price`, `array[1]` and `map['k']`.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::{Column, DFSchema, Result, TableReference};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawFieldAccessExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, ScalarUDF, lit};

use super::collections::{ARRAY_ITEM, MAP_ITEM};

/// Plans `column.field.field` so that the result is named after the last field, and elements of
/// arrays and maps as calls of this dialect's functions.
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

    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let name = match (&access.field_access, access.expr.get_type(schema)?) {
            (GetFieldAccess::ListIndex { .. }, DataType::Map(..)) => MAP_ITEM,
            (GetFieldAccess::ListIndex { .. }, DataType::List(_) | DataType::Null) => ARRAY_ITEM,
            _ => return Ok(PlannerResult::Original(access)),
        };
        let function = super::specs().find(|spec| spec.name == name);
        match (function, access.field_access) {
            (Some(spec), GetFieldAccess::ListIndex { key }) => {
                let call = spec.function().call(vec![access.expr, *key]);
                Ok(PlannerResult::Planned(call))
            }
            (_, field_access) => Ok(PlannerResult::Original(RawFieldAccessExpr {
                expr: access.expr,
                field_access,
            })),
        }
    }
}
