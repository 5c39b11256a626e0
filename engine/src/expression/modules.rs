//! How functions of modules are written into expressions: by what they are declared as.
//!
//! A job carries its modules once, beside its graph ([`crate::graph::JobSettings::modules`]). Who decodes its
//! expressions has them as an extension of the context in which functions are looked up.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::ScalarUDF;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{
    DefaultPhysicalExtensionCodec, PhysicalExtensionCodec, PhysicalProtoConverterExtension,
};
use levada_wasm::{Declaration, Modules, ScalarFunction};

use crate::error::EngineError;

/// Writes and reads functions of modules.
#[derive(Debug, Default)]
pub(super) struct Codec {
    modules: Option<Arc<Modules>>,
}

impl Codec {
    /// With the modules that a job's functions are of.
    pub(super) fn with_modules_of(functions: &TaskContext) -> Self {
        Codec {
            modules: functions.session_config().get_extension(),
        }
    }

    fn function(&self, name: &str, written: &[u8]) -> Result<ScalarFunction, EngineError> {
        let declaration: Declaration = serde_json::from_slice(written).map_err(|error| {
            EngineError::internal(format!("the function {name} cannot be read"))
                .with_detail(error.to_string())
        })?;
        let modules = self.modules.as_ref();
        let module = modules.and_then(|modules| modules.get(&declaration.module));
        let Some(module) = module else {
            return Err(EngineError::internal(format!(
                "the module of the function {name} has not come with the job"
            )));
        };
        ScalarFunction::new(declaration, Arc::clone(module)).map_err(|error| {
            let broken = EngineError::config(format!("function {name} failed: {}", error.message));
            match error.hint {
                Some(hint) => broken.with_hint(hint),
                None => broken,
            }
        })
    }
}

impl PhysicalExtensionCodec for Codec {
    fn try_decode(
        &self,
        buf: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        ctx: &TaskContext,
        proto_converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        DefaultPhysicalExtensionCodec {}.try_decode(buf, inputs, ctx, proto_converter)
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buf: &mut Vec<u8>,
        proto_converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        DefaultPhysicalExtensionCodec {}.try_encode(node, buf, proto_converter)
    }

    fn try_encode_udf(&self, node: &ScalarUDF, buf: &mut Vec<u8>) -> Result<()> {
        let Some(function) = ScalarFunction::of(node) else {
            return Ok(());
        };
        serde_json::to_writer(buf, function.declaration())
            .map_err(|error| DataFusionError::Internal(error.to_string()))
    }

    fn try_decode_udf(&self, name: &str, buf: &[u8]) -> Result<Arc<ScalarUDF>> {
        if buf.is_empty() {
            return DefaultPhysicalExtensionCodec {}.try_decode_udf(name, buf);
        }
        let function = self.function(name, buf);
        let function = function.map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(Arc::new(function.into_udf()))
    }
}
