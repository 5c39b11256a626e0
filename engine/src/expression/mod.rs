//! Expressions of a job graph, ready to evaluate.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion_proto::physical_plan::from_proto::parse_physical_expr;
use datafusion_proto::physical_plan::to_proto::serialize_physical_expr;
use datafusion_proto::protobuf::PhysicalExprNode;
use prost::Message as _;

use crate::element::rows_of;
use crate::error::{EngineError, Result};
use crate::graph::{Expression, WireBytes};

mod modules;
mod rewrite;
#[cfg(test)]
mod tests;

use levada_wasm::Modules;
use modules::Codec;
use rewrite::Narrowed;

/// An expression that can be evaluated on batches of one schema.
#[derive(Debug, Clone)]
pub struct Evaluator {
    projection: Projection,
}

impl Evaluator {
    /// Decodes an expression over `schema`; functions are looked up in `functions`.
    pub fn new(
        expression: &Expression,
        schema: &SchemaRef,
        functions: &TaskContext,
    ) -> Result<Self> {
        let projection = Projection::new(std::slice::from_ref(expression), schema, functions)?;
        Ok(Evaluator { projection })
    }

    /// One value per row.
    pub fn evaluate(&self, rows: &RecordBatch) -> Result<ArrayRef> {
        let mut columns = self.projection.evaluate(rows, None)?;
        columns
            .pop()
            .ok_or_else(|| EngineError::internal("an expression without a value"))
    }

    /// One truth value per row.
    pub fn evaluate_filter(&self, rows: &RecordBatch) -> Result<BooleanArray> {
        let array = self.evaluate(rows)?;
        match array.as_boolean_opt() {
            Some(mask) => Ok(mask.clone()),
            None => Err(EngineError::internal(format!(
                "the filter {} is not boolean",
                self.projection.texts.concat()
            ))),
        }
    }
}

/// Expressions over the same rows, evaluated together.
#[derive(Debug, Clone)]
pub struct Projection {
    narrowed: Narrowed,
    texts: Vec<String>,
}

impl Projection {
    /// Decodes expressions over `schema`; functions are looked up in `functions`.
    ///
    /// # Errors
    /// A function that is not known here, or bytes of another version.
    pub fn new(
        expressions: &[Expression],
        schema: &SchemaRef,
        functions: &TaskContext,
    ) -> Result<Self> {
        let decoded = expressions
            .iter()
            .map(|e| {
                rewrite::fixed_intervals(decode(e, schema, functions)?, schema).map_err(Into::into)
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Projection {
            narrowed: rewrite::narrow(&decoded, schema)?,
            texts: expressions.iter().map(|e| e.text.clone()).collect(),
        })
    }

    /// The number of expressions.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is no expression.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// A column for each expression, with one value for each row where `mask` is true.
    ///
    /// # Errors
    /// A value that an expression cannot be computed for, with the expression's text.
    pub fn evaluate(
        &self,
        rows: &RecordBatch,
        mask: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let count = rows.num_rows();
        let leaves = self.narrowed.leaves.iter().map(|leaf| {
            let leaf = leaf.evaluate(rows)?;
            leaf.into_array(count)
        });
        let leaves = leaves.collect::<datafusion::common::Result<Vec<_>>>()?;
        let mut rows = rows_of(&self.narrowed.schema, leaves, count)?;
        if let Some(mask) = mask {
            rows = filter_record_batch(&rows, mask)?;
        }
        let column = |(expression, text): (&Arc<dyn PhysicalExpr>, &String)| {
            let value = expression.evaluate(&rows);
            let array = value.and_then(|value| value.into_array(rows.num_rows()));
            array.map_err(|error| {
                let error = EngineError::from(error);
                let message = format!("{text} failed: {}", error.message);
                EngineError { message, ..error }
            })
        };
        let expressions = self.narrowed.expressions.iter();
        expressions.zip(&self.texts).map(column).collect()
    }
}

fn decode(
    expression: &Expression,
    schema: &SchemaRef,
    functions: &TaskContext,
) -> Result<Arc<dyn PhysicalExpr>> {
    let broken = |e: String| {
        EngineError::internal(format!(
            "the expression {} cannot be decoded",
            expression.text
        ))
        .with_detail(e)
    };
    let node = PhysicalExprNode::decode(expression.encoded.0.as_slice())
        .map_err(|e| broken(e.to_string()))?;
    let codec = Codec::with_modules_of(functions);
    parse_physical_expr(&node, functions, schema, &codec).map_err(|e| match e {
        // What is wrong with a module says so itself.
        DataFusionError::External(own) => DataFusionError::External(own).into(),
        other => broken(other.to_string()),
    })
}

/// The functions as a job in this time zone sees them, and beside them those of its modules; `None` is UTC.
pub fn for_job(
    functions: &Arc<TaskContext>,
    zone: Option<&str>,
    modules: Modules,
) -> Arc<TaskContext> {
    let config = functions.session_config();
    let same_zone = config.options().execution.time_zone.as_deref() == zone;
    if same_zone && modules.is_empty() {
        return Arc::clone(functions);
    }
    let mut config = config.clone().with_extension(Arc::new(modules));
    config.options_mut().execution.time_zone = zone.map(str::to_string);
    Arc::new(TaskContext::new(
        functions.task_id(),
        functions.session_id(),
        config,
        functions.scalar_functions().clone(),
        functions.higher_order_functions().clone(),
        functions.aggregate_functions().clone(),
        functions.window_functions().clone(),
        functions.runtime_env(),
    ))
}

/// Encodes a physical expression for a job graph.
///
/// # Errors
/// It is nested deeper than protobuf decodes, or of a kind that cannot be encoded.
pub fn encode(expression: &Arc<dyn PhysicalExpr>) -> Result<Expression> {
    let node = serialize_physical_expr(expression, &Codec::default())?;
    let text = expression.to_string();
    let encoded = node.encode_to_vec();
    if PhysicalExprNode::decode(encoded.as_slice()).is_err() {
        return Err(EngineError::config("an expression is nested too deeply"));
    }
    Ok(Expression {
        encoded: WireBytes(encoded),
        text,
    })
}
