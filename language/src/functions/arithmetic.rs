//! Integer and decimal arithmetic that fails on overflow.
//!
//! DataFusion's `+`, `-`, `*` and unary minus wrap around silently on integers, and decimals of 38
//! digits may get a 39th. [`CheckedArithmetic`] replaces the former by functions over Arrow's
//! checked kernels and puts a check around the latter. Division and modulo fail by themselves on
//! zero. A chain such as `a + b + c` becomes one call, so that long chains stay shallow.

use std::hash::Hash;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::kernels::numeric::{add, mul, neg, sub};
use arrow::datatypes::{DataType, Decimal128Type};
use arrow::error::ArrowError;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::error::DataFusionError;
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
use crate::types::SqlType;

/// The most digits of a DECIMAL, from which on Arrow does not widen results.
const MOST_DIGITS: u8 = 38;

/// The functions that the rule puts in place of operators.
pub(super) fn functions() -> Vec<ScalarUDF> {
    [
        Check::Chain(Operator::Plus),
        Check::Chain(Operator::Minus),
        Check::Chain(Operator::Multiply),
        Check::Negation,
        Check::Digits,
    ]
    .into_iter()
    .map(|check| ScalarUDF::new_from_impl(Checked::new(check)))
    .collect()
}

/// Checks integer `+`, `-`, `*` and unary minus, and decimals of the greatest precision. Runs
/// after type coercion, so that both sides have the same type.
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
        found = match expr {
            Expr::BinaryExpr(binary) => is_arithmetic(binary.op),
            Expr::Negative(_) => true,
            _ => false,
        };
        Ok(if found {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    })?;
    Ok(found)
}

fn is_arithmetic(operator: Operator) -> bool {
    use Operator::{Divide, Minus, Modulo, Multiply, Plus};
    matches!(operator, Plus | Minus | Multiply | Divide | Modulo)
}

fn check(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match expr {
        Expr::Negative(inner) if inner.get_type(schema)?.is_integer() => {
            Ok(Transformed::yes(Check::Negation.call(vec![*inner])))
        }
        Expr::BinaryExpr(binary) if is_arithmetic(binary.op) => check_operator(binary, schema),
        other => Ok(Transformed::no(other)),
    }
}

fn check_operator(binary: BinaryExpr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let chains = matches!(
        binary.op,
        Operator::Plus | Operator::Minus | Operator::Multiply
    );
    let left = binary.left.get_type(schema)?;
    if chains && left.is_integer() && binary.right.get_type(schema)?.is_integer() {
        let check = Check::Chain(binary.op);
        let mut operands = match *binary.left {
            Expr::ScalarFunction(call) if call.func.name() == check.name() => call.args,
            other => vec![other],
        };
        operands.push(*binary.right);
        return Ok(Transformed::yes(check.call(operands)));
    }
    let decimal = matches!(left, DataType::Decimal128(..));
    let expr = Expr::BinaryExpr(binary);
    if decimal && matches!(expr.get_type(schema)?, DataType::Decimal128(MOST_DIGITS, _)) {
        return Ok(Transformed::yes(Check::Digits.call(vec![expr])));
    }
    Ok(Transformed::no(expr))
}

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Check {
    /// An operator on integers, from left to right.
    Chain(Operator),
    /// Unary minus on integers.
    Negation,
    /// That decimals have no more digits than their type.
    Digits,
}

impl Check {
    fn name(self) -> &'static str {
        match self {
            Check::Chain(Operator::Plus) => "checked_add",
            Check::Chain(Operator::Minus) => "checked_subtract",
            Check::Chain(_) => "checked_multiply",
            Check::Negation => "checked_negate",
            Check::Digits => "checked_digits",
        }
    }

    fn call(self, args: Vec<Expr>) -> Expr {
        let function = Arc::new(ScalarUDF::new_from_impl(Checked::new(self)));
        Expr::ScalarFunction(ScalarFunction::new_udf(function, args))
    }
}

/// A check as a function.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Checked {
    check: Check,
    signature: Signature,
}

impl Checked {
    fn new(check: Check) -> Self {
        let signature = match check {
            Check::Chain(_) => Signature::variadic_any(Volatility::Immutable),
            Check::Negation | Check::Digits => Signature::any(1, Volatility::Immutable),
        };
        Self { check, signature }
    }
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &str {
        self.check.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match arg_types.split_first() {
            Some((first, rest)) if rest.iter().all(|other| other == first) => Ok(first.clone()),
            _ => Err(PlanError::internal("the sides of an integer operator differ in type").into()),
        }
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let names: Vec<String> = args
            .iter()
            .map(|arg| arg.schema_name().to_string())
            .collect();
        Ok(match self.check {
            Check::Chain(operator) => names.join(&format!(" {operator} ")),
            Check::Negation => format!("(- {})", names.concat()),
            Check::Digits => names.concat(),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let mut operands = args.args.iter();
        let Some(first) = operands.next() else {
            return Err(PlanError::internal("an operator has no operands").into());
        };
        let kernel = match self.check {
            Check::Chain(Operator::Plus) => add,
            Check::Chain(Operator::Minus) => sub,
            Check::Chain(_) => mul,
            Check::Negation => return negated(first),
            Check::Digits => return with_digits(first),
        };
        operands.try_fold(first.clone(), |left, right| {
            apply(&left, right, kernel).map_err(|error| overflow(error, &args))
        })
    }
}

/// Arrow's overflow, told with the SQL type.
fn overflow(error: DataFusionError, args: &ScalarFunctionArgs) -> DataFusionError {
    let DataFusionError::ArrowError(inner, _) = &error else {
        return error;
    };
    let ArrowError::ArithmeticOverflow(text) = inner.as_ref() else {
        return error;
    };
    let shown = SqlType::from_arrow(args.return_field.data_type());
    let text = text.strip_prefix("Overflow happened on: ").unwrap_or(text);
    failed(format!("{text} overflows {shown}"))
}

fn failed(message: String) -> DataFusionError {
    PlanError::new(PlanErrorKind::Evaluation, message)
        .hint("cast an operand to a wider type first")
        .into()
}

fn negated(value: &ColumnarValue) -> Result<ColumnarValue> {
    let array = value.to_array(1)?;
    let shown = SqlType::from_arrow(array.data_type());
    let result = neg(&array)
        .map_err(|_| failed(format!("the negative of the least value overflows {shown}")))?;
    like(value, result)
}

fn with_digits(value: &ColumnarValue) -> Result<ColumnarValue> {
    let array = value.to_array(1)?;
    if let (DataType::Decimal128(precision, scale), Some(decimals)) = (
        array.data_type(),
        array.as_primitive_opt::<Decimal128Type>(),
    ) {
        decimals
            .validate_decimal_precision(*precision)
            .map_err(|_| {
                failed(format!(
                    "a result of more than {precision} digits overflows DECIMAL({precision}, {scale})"
                ))
            })?;
    }
    like(value, array)
}

/// A constant for a constant, a column for a column.
fn like(value: &ColumnarValue, result: arrow::array::ArrayRef) -> Result<ColumnarValue> {
    use datafusion::common::ScalarValue;
    Ok(match value {
        ColumnarValue::Scalar(_) => ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?),
        ColumnarValue::Array(_) => ColumnarValue::Array(result),
    })
}
