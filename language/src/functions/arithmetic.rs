//! Integer arithmetic that fails on overflow.
//!
//! DataFusion's `+`, `-` and `*` wrap around silently. [`CheckedArithmetic`] replaces them, on
//! integers, by functions over Arrow's checked kernels. Decimals are checked already, and
//! division and modulo fail by themselves on zero.

use std::hash::Hash;
use std::sync::Arc;

use arrow::compute::kernels::numeric::{add, mul, sub};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ScalarFunctionArgs,
    ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::physical_expr_common::datum::apply;

use crate::error::{PlanError, PlanErrorKind};

/// The functions that the rule puts in place of operators.
pub(super) fn functions() -> Vec<ScalarUDF> {
    [Operator::Plus, Operator::Minus, Operator::Multiply]
        .into_iter()
        .filter_map(Checked::of)
        .map(ScalarUDF::new_from_impl)
        .collect()
}

/// Replaces integer `+`, `-`, `*` by checked functions. Runs after type coercion, so that both
/// sides have the same type.
#[derive(Debug, Default, Clone, Copy)]
pub struct CheckedArithmetic;

impl AnalyzerRule for CheckedArithmetic {
    fn name(&self) -> &str {
        "checked_arithmetic"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(check_plan)
            .map(|result| result.data)
    }
}

fn check_plan(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let mut schema = merge_schema(&plan.inputs());
    if plan.inputs().is_empty() {
        schema = plan.schema().as_ref().clone();
    }
    let preserver = NamePreserver::new(&plan);
    plan.map_expressions(|expr| {
        if !contains_operator(&expr)? {
            return Ok(Transformed::no(expr));
        }
        let name = preserver.save(&expr);
        let checked = expr.transform_up(|expr| check(expr, &schema))?;
        Ok(checked.update_data(|expr| name.restore(expr)))
    })?
    .map_data(LogicalPlan::recompute_schema)
}

fn contains_operator(expr: &Expr) -> Result<bool> {
    let mut found = false;
    expr.apply(|expr| {
        found = matches!(expr, Expr::BinaryExpr(binary) if Checked::of(binary.op).is_some());
        Ok(if found {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    })?;
    Ok(found)
}

fn check(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = expr else {
        return Ok(Transformed::no(expr));
    };
    let function = match Checked::of(op) {
        Some(function)
            if left.get_type(schema)?.is_integer() && right.get_type(schema)?.is_integer() =>
        {
            function
        }
        _ => {
            return Ok(Transformed::no(Expr::BinaryExpr(BinaryExpr {
                left,
                op,
                right,
            })));
        }
    };
    let function = Arc::new(ScalarUDF::new_from_impl(function));
    Ok(Transformed::yes(Expr::ScalarFunction(
        ScalarFunction::new_udf(function, vec![*left, *right]),
    )))
}

/// One checked operator.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Checked {
    operator: Operator,
    name: &'static str,
    signature: Signature,
}

impl Checked {
    fn of(operator: Operator) -> Option<Self> {
        let name = match operator {
            Operator::Plus => "checked_add",
            Operator::Minus => "checked_subtract",
            Operator::Multiply => "checked_multiply",
            _ => return None,
        };
        Some(Self {
            operator,
            name,
            signature: Signature::any(2, Volatility::Immutable),
        })
    }
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match arg_types {
            [left, right] if left == right => Ok(left.clone()),
            _ => Err(PlanError::internal("the sides of an integer operator differ in type").into()),
        }
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        match args {
            [left, right] => Ok(format!(
                "{} {} {}",
                left.schema_name(),
                self.operator,
                right.schema_name()
            )),
            _ => Ok(self.name.to_string()),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else {
            return Err(PlanError::internal("an integer operator has two sides").into());
        };
        let result = match self.operator {
            Operator::Plus => apply(left, right, add),
            Operator::Minus => apply(left, right, sub),
            _ => apply(left, right, mul),
        };
        result.map_err(|error| match error {
            datafusion::error::DataFusionError::ArrowError(inner, _)
                if matches!(*inner, ArrowError::ArithmeticOverflow(_)) =>
            {
                let shown = crate::types::SqlType::from_arrow(args.return_field.data_type());
                PlanError::new(
                    PlanErrorKind::Evaluation,
                    format!("an operation {} overflows {shown}: {inner}", self.operator),
                )
                .hint("cast an operand to a wider type first")
                .into()
            }
            other => other,
        })
    }
}
