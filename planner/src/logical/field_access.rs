//! Access to fields of ROWs by dot: `bid.price`.
//!
//! Names of fields follow the rule for names of columns (exactly, else the only one that differs
//! in case), and a column that is just a field access is called after the field.

use arrow::datatypes::{DataType, Field};
use datafusion::common::{Column, DFSchema, Result, ScalarValue, TableReference};
use datafusion::functions::core::get_field;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawFieldAccessExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, lit};

use crate::parser::names;

/// Plans field access. Goes before DataFusion's own planners.
#[derive(Debug)]
pub(super) struct FieldAccess;

impl ExprPlanner for FieldAccess {
    fn plan_compound_identifier(
        &self,
        field: &Field,
        qualifier: Option<&TableReference>,
        nested_names: &[String],
    ) -> Result<PlannerResult<Vec<Expr>>> {
        let mut expr = Expr::Column(Column::from((qualifier, field)));
        let mut data_type = Some(field.data_type());
        let mut last = "";
        for wanted in nested_names {
            let inner = data_type.and_then(|data_type| field_of(data_type, wanted));
            let name = inner.map_or(wanted.as_str(), |field| field.name().as_str());
            expr = access(expr, name);
            data_type = inner.map(Field::data_type);
            last = name;
        }
        Ok(PlannerResult::Planned(expr.alias(last)))
    }

    fn plan_field_access(
        &self,
        access_expr: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        let GetFieldAccess::NamedStructField { name } = &access_expr.field_access else {
            return Ok(PlannerResult::Original(access_expr));
        };
        let Some(wanted) = name.try_as_str().flatten() else {
            return Ok(PlannerResult::Original(access_expr));
        };
        let base = access_expr.expr.clone().unalias();
        let data_type = base.get_type(schema)?;
        let Some(field) = field_of(&data_type, wanted) else {
            return Ok(PlannerResult::Original(access_expr));
        };
        let name = field.name();
        Ok(PlannerResult::Planned(access(base, name).alias(name)))
    }
}

fn access(base: Expr, name: &str) -> Expr {
    let args = vec![base, lit(ScalarValue::from(name))];
    Expr::ScalarFunction(ScalarFunction::new_udf(get_field(), args))
}

fn field_of<'a>(data_type: &'a DataType, wanted: &str) -> Option<&'a Field> {
    let DataType::Struct(fields) = data_type else {
        return None;
    };
    let name = names::resolve(wanted, fields.iter().map(|field| field.name().as_str()))?;
    let found = fields.iter().find(|field| field.name() == name);
    found.map(|field| field.as_ref())
}
