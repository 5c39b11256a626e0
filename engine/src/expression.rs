//! Expressions of a job graph, ready to evaluate.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion_proto::physical_plan::DefaultPhysicalExtensionCodec;
use datafusion_proto::physical_plan::from_proto::parse_physical_expr;
use datafusion_proto::physical_plan::to_proto::serialize_physical_expr;
use datafusion_proto::protobuf::PhysicalExprNode;
use prost::Message as _;

use crate::error::{EngineError, Result};
use crate::graph::{Expression, WireBytes};

/// An expression that can be evaluated on batches of one schema.
#[derive(Debug, Clone)]
pub struct Evaluator {
    expression: Arc<dyn PhysicalExpr>,
    text: String,
}

impl Evaluator {
    /// Decodes an expression over `schema`; functions are looked up in `functions`.
    pub fn new(
        expression: &Expression,
        schema: &SchemaRef,
        functions: &TaskContext,
    ) -> Result<Self> {
        let broken = |e: String| {
            EngineError::internal(format!(
                "the expression {} cannot be decoded",
                expression.text
            ))
            .with_detail(e)
        };
        let node = PhysicalExprNode::decode(expression.encoded.0.as_slice())
            .map_err(|e| broken(e.to_string()))?;
        let codec = DefaultPhysicalExtensionCodec {};
        let decoded = parse_physical_expr(&node, functions, schema, &codec)
            .map_err(|e| broken(e.to_string()))?;
        Ok(Evaluator {
            expression: decoded,
            text: expression.text.clone(),
        })
    }

    /// The type of the result on rows of `schema`.
    pub fn data_type(&self, schema: &SchemaRef) -> Result<DataType> {
        Ok(self.expression.data_type(schema)?)
    }

    /// One value per row.
    pub fn evaluate(&self, rows: &RecordBatch) -> Result<ArrayRef> {
        let value = self.expression.evaluate(rows).map_err(|e| self.failed(e))?;
        value
            .into_array(rows.num_rows())
            .map_err(|e| self.failed(e))
    }

    /// One truth value per row.
    pub fn evaluate_filter(&self, rows: &RecordBatch) -> Result<BooleanArray> {
        let array = self.evaluate(rows)?;
        match array.as_boolean_opt() {
            Some(mask) => Ok(mask.clone()),
            None => Err(EngineError::internal(format!(
                "the filter {} is not boolean",
                self.text
            ))),
        }
    }

    fn failed(&self, error: datafusion::error::DataFusionError) -> EngineError {
        let error = EngineError::from(error);
        let message = format!("{} failed: {}", self.text, error.message);
        EngineError { message, ..error }
    }
}

/// The functions as a job in this time zone sees them; `None` is UTC.
pub fn in_time_zone(functions: &Arc<TaskContext>, zone: Option<&str>) -> Arc<TaskContext> {
    let config = functions.session_config();
    if config.options().execution.time_zone.as_deref() == zone {
        return Arc::clone(functions);
    }
    let mut config = config.clone();
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
pub fn encode(expression: &Arc<dyn PhysicalExpr>) -> Result<Expression> {
    let node = serialize_physical_expr(expression, &DefaultPhysicalExtensionCodec {})?;
    let text = expression.to_string();
    Ok(Expression {
        encoded: WireBytes(node.encode_to_vec()),
        text,
    })
}
