//! Functions of WebAssembly modules: checked against what the module exports when they are created.

use levada_wasm::{GuestError, Kind, Module, SUPPORTED, ValueType};

use super::SqlFunction;
use crate::logical::{ModuleFunction, Resolver};
use crate::parser::ModuleBody;
use levada_language::error::{PlanError, PlanErrorKind};
use levada_language::types::SqlType;

pub use levada_wasm::MAX_MODULE_BYTES;

/// Makes the function of a module known to the resolver; returns what queries call it as.
///
/// # Errors
/// It has types that modules do not know, or the module does not have what it needs.
pub(super) fn called(
    resolver: &Resolver,
    function: &SqlFunction,
    body: &ModuleBody,
    bytes: &[u8],
) -> Result<String, PlanError> {
    if body.aggregate && function.parameters.is_empty() {
        return Err(PlanError::unsupported(
            "an aggregate of a module without parameters",
            Some(body.location),
        )
        .hint("COUNT(*) counts rows; a parameter may be left unread"));
    }
    let parameters = function.parameters.iter();
    let parameters = parameters
        .map(|(name, sql_type)| value_type(sql_type, &format!("parameter {name}"), function, body))
        .collect::<Result<Vec<_>, _>>()?;
    let returns = value_type(&function.returns, "the result", function, body)?;
    let wrong = |error: GuestError| {
        let message = format!("function {} cannot be created: {error}", function.name);
        let wrong = PlanError::new(PlanErrorKind::InvalidStatement, message);
        match error.hint {
            Some(hint) => wrong.hint(hint),
            None => wrong,
        }
        .at(Some(body.location))
    };
    let module = Module::compile(bytes).map_err(wrong)?;
    let made = ModuleFunction {
        name: function.name.clone(),
        symbol: body.symbol.clone(),
        kind: match body.aggregate {
            true => Kind::Aggregate,
            false => Kind::Scalar,
        },
        parameters,
        returns,
        module,
    };
    resolver.add_function(made).map_err(wrong)
}

fn value_type(
    sql_type: &SqlType,
    what: &str,
    function: &SqlFunction,
    body: &ModuleBody,
) -> Result<ValueType, PlanError> {
    ValueType::from_arrow(&sql_type.to_arrow()).ok_or_else(|| {
        PlanError::unsupported(
            format!(
                "a function of a module with the type {sql_type} ({what} of {})",
                function.name
            ),
            Some(body.location),
        )
        .hint(format!("modules know {SUPPORTED}"))
    })
}
