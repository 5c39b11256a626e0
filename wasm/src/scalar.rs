//! Functions of one row, as DataFusion calls them: a batch at a time.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, AsArray, new_empty_array};
use arrow::compute::concat;
use arrow::datatypes::DataType;
use datafusion::common::{Result as DataFusionResult, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use serde::{Deserialize, Serialize};

use crate::aggregate;
use crate::error::{GuestError, Result};
use crate::guest::{Guest, Limits, Symbols};
use crate::layout::Block;
use crate::module::Module;
use crate::types::ValueType;

#[cfg(test)]
mod tests;

/// What a function is, beside the bytes of its module.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Declaration {
    /// What it is called.
    pub name: String,
    /// Whether it is of one row or of the rows of a group.
    pub kind: Kind,
    /// The hash of its module.
    pub module: String,
    /// What the module exports it as.
    pub symbol: String,
    /// The types of its parameters.
    pub parameters: Vec<ValueType>,
    /// The type of its result.
    pub returns: ValueType,
    /// What an instance may use.
    pub limits: Limits,
}

/// What a function is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// One row.
    Scalar,
    /// The rows of a group. It is called with one argument, a list for each group: of values, or of structs if it
    /// has another number of parameters than one.
    Aggregate,
}

impl Declaration {
    fn symbols(&self) -> Symbols {
        let of = |what: &str| format!("{}_{what}", self.symbol);
        match self.kind {
            Kind::Scalar => Symbols {
                function: self.symbol.clone(),
                update: None,
            },
            Kind::Aggregate => Symbols {
                function: of("finish"),
                update: Some(of("update")),
            },
        }
    }

    fn signature(&self) -> Signature {
        let types = self.parameters.iter().map(ValueType::to_arrow);
        match self.kind {
            Kind::Aggregate => Signature::any(1, Volatility::Immutable),
            Kind::Scalar if self.parameters.is_empty() => Signature::nullary(Volatility::Immutable),
            Kind::Scalar => Signature::exact(types.collect(), Volatility::Immutable),
        }
    }
}

/// A function of a module. Instances are made as they are needed, one for each thread that calls it at a time.
#[derive(Debug)]
pub struct ScalarFunction {
    declaration: Declaration,
    module: Arc<Module>,
    signature: Signature,
    idle: Mutex<Vec<Guest>>,
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Guest")
    }
}

impl PartialEq for ScalarFunction {
    fn eq(&self, other: &Self) -> bool {
        self.declaration == other.declaration
    }
}

impl Eq for ScalarFunction {}

impl Hash for ScalarFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.declaration.hash(state);
    }
}

impl ScalarFunction {
    /// The function that a declaration says, of its module.
    ///
    /// # Errors
    /// The module does not export what it needs.
    pub fn new(declaration: Declaration, module: Arc<Module>) -> Result<Self> {
        let symbols = declaration.symbols();
        let update = symbols.update.iter().map(|name| (name.as_str(), 2));
        let all: Vec<_> = update.chain([(symbols.function.as_str(), 1)]).collect();
        module.check(&all)?;
        Ok(ScalarFunction {
            signature: declaration.signature(),
            declaration,
            module,
            idle: Mutex::default(),
        })
    }

    /// Makes an instance, as a call will.
    ///
    /// # Errors
    /// The module has more memory from the beginning than it may, or its beginning fails.
    pub fn try_out(&self) -> Result<()> {
        let guest = self.guest()?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(guest);
        Ok(())
    }

    fn guest(&self) -> Result<Guest> {
        let declared = &self.declaration;
        Guest::new(&self.module, &declared.symbols(), declared.limits)
    }

    /// As DataFusion knows it.
    pub fn into_udf(self) -> ScalarUDF {
        ScalarUDF::new_from_impl(self)
    }

    /// The function behind one of DataFusion's, if it is one of these.
    pub fn of(function: &ScalarUDF) -> Option<&Self> {
        let inner: &dyn std::any::Any = function.inner().as_ref();
        inner.downcast_ref()
    }

    /// What travels of it.
    pub fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    /// Its module.
    pub fn module(&self) -> &Arc<Module> {
        &self.module
    }

    /// The results for `rows` rows.
    fn results(&self, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = idle().pop();
        let mut guest = match waiting {
            Some(guest) => guest,
            None => self.guest()?,
        };
        let results = match self.declaration.kind {
            Kind::Scalar => self.in_parts(&mut guest, columns, rows)?,
            Kind::Aggregate => aggregate::results(&self.declaration, &mut guest, columns)?,
        };
        idle().push(guest);
        Ok(results)
    }

    /// One call, or several for a batch that would take much of the guest's memory.
    fn in_parts(&self, guest: &mut Guest, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let block = Block::new(columns, &self.declaration.parameters, rows)?;
        if rows < 2 || block.size() <= self.declaration.limits.block_bytes() {
            return guest.call(&block, &self.declaration.returns);
        }
        let mut half = |from: usize, rows: usize| {
            let columns: Vec<ArrayRef> = columns.iter().map(|c| c.slice(from, rows)).collect();
            self.in_parts(guest, &columns, rows)
        };
        let halves = [half(0, rows / 2)?, half(rows / 2, rows - rows / 2)?];
        joined(&halves)
    }

    fn invoke(&self, args: &ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let named = |error: GuestError| error.of_call(&self.declaration.name);
        let constant = args.args.iter().all(|arg| match arg {
            ColumnarValue::Scalar(_) => true,
            ColumnarValue::Array(_) => false,
        });
        if args.number_rows == 0 {
            let empty = new_empty_array(&self.declaration.returns.to_arrow());
            return Ok(ColumnarValue::Array(empty));
        }
        let rows = if constant { 1 } else { args.number_rows };
        let columns = args.args.iter().map(|arg| arg.to_array(rows));
        let columns = columns.collect::<DataFusionResult<Vec<_>>>()?;
        let results = self.results(&columns, rows).map_err(named)?;
        match constant {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(
                &results, 0,
            )?)),
            false => Ok(ColumnarValue::Array(results)),
        }
    }
}

/// The values of several parts, one part behind the other.
fn joined(parts: &[ArrayRef]) -> Result<ArrayRef> {
    if !elements_fit(parts) {
        return Err(GuestError::new(
            "the arrays that it gives for a batch have more elements than fit into one column",
        ));
    }
    let parts: Vec<_> = parts.iter().map(AsRef::as_ref).collect();
    concat(&parts).map_err(|error| GuestError::new(error.to_string()))
}

/// Whether the elements of all arrays, at every depth, can be counted with the 32 bits that offsets have.
fn elements_fit(parts: &[ArrayRef]) -> bool {
    let lists: Option<Vec<_>> = parts.iter().map(|one| one.as_list_opt::<i32>()).collect();
    if let Some(lists) = lists {
        let values: Vec<_> = lists.iter().map(|one| Arc::clone(one.values())).collect();
        let count: usize = values.iter().map(|one| one.len()).sum();
        return i32::try_from(count).is_ok() && elements_fit(&values);
    }
    let structs: Option<Vec<_>> = parts.iter().map(|one| one.as_struct_opt()).collect();
    let structs = structs.unwrap_or_default();
    let fields = structs.first().map_or(0, |one| one.num_columns());
    (0..fields).all(|field| {
        let columns: Vec<_> = structs
            .iter()
            .map(|one| Arc::clone(one.column(field)))
            .collect();
        elements_fit(&columns)
    })
}

impl ScalarUDFImpl for ScalarFunction {
    fn name(&self) -> &str {
        &self.declaration.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> DataFusionResult<DataType> {
        Ok(self.declaration.returns.to_arrow())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue, DataFusionError> {
        self.invoke(&args)
    }
}
