//! Functions of one's own.

use sqlparser::ast::{Ident, ObjectName};

use super::{CreateMode, Expression};
use levada_language::error::Location;
use levada_language::types::SqlType;

/// CREATE, ALTER or DROP of a function.
#[derive(Debug, Clone, PartialEq)]
pub enum DefineFunction {
    /// CREATE FUNCTION.
    Create {
        /// OR REPLACE, IF NOT EXISTS, TEMPORARY.
        mode: CreateMode,
        /// SYSTEM: without a database, in front of the functions that are built in.
        system: bool,
        /// What the function is.
        function: Box<FunctionDeclaration>,
    },
    /// ALTER FUNCTION: the same as what is there is called, made anew.
    Alter {
        /// TEMPORARY.
        temporary: bool,
        /// SYSTEM.
        system: bool,
        /// IF EXISTS.
        if_exists: bool,
        /// What the function is from now on.
        function: Box<FunctionDeclaration>,
    },
    /// DROP FUNCTION.
    Drop {
        /// TEMPORARY.
        temporary: bool,
        /// SYSTEM.
        system: bool,
        /// IF EXISTS.
        if_exists: bool,
        /// Its name.
        name: ObjectName,
    },
}

impl DefineFunction {
    /// The module that the statement names, whose bytes it needs.
    pub fn module(&self) -> Option<&ModuleBody> {
        match self {
            DefineFunction::Create { function, .. } | DefineFunction::Alter { function, .. } => {
                match &function.body {
                    FunctionBody::Module(module) => Some(module),
                    FunctionBody::Sql(_) => None,
                }
            }
            DefineFunction::Drop { .. } => None,
        }
    }
}

/// `name(a INT, b STRING) RETURNS type RETURN expression`, or `USING MODULE` instead of an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionDeclaration {
    /// Its name.
    pub name: ObjectName,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
    /// The type of its result.
    pub returns: SqlType,
    /// What it does.
    pub body: FunctionBody,
}

/// A parameter of a function.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: Ident,
    /// Its type, to which arguments are cast.
    pub sql_type: SqlType,
}

/// What a function does, by the language that it is written in.
#[derive(Debug, Clone, PartialEq)]
pub enum FunctionBody {
    /// LANGUAGE SQL: an expression over the parameters.
    Sql(Expression),
    /// LANGUAGE WASM: a function that a module exports.
    Module(ModuleBody),
}

/// `USING MODULE 'file' SYMBOL 'export'`, and whether it is an AGGREGATE FUNCTION.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleBody {
    /// Where the module is, as written.
    pub path: String,
    /// What it exports the function as.
    pub symbol: String,
    /// Whether it is of the rows of a group.
    pub aggregate: bool,
    /// Where the path stands in the statement.
    pub location: Location,
}

impl FunctionBody {
    /// The name of the language.
    pub fn language(&self) -> &'static str {
        match self {
            FunctionBody::Sql(_) => "SQL",
            FunctionBody::Module(_) => "WASM",
        }
    }

    /// The text as written: an expression, or where the module is.
    pub fn text(&self) -> String {
        match self {
            FunctionBody::Sql(expression) => expression.text.clone(),
            FunctionBody::Module(module) => {
                let quoted = |text: &str| text.replace('\'', "''");
                let (path, symbol) = (quoted(&module.path), quoted(&module.symbol));
                format!("USING MODULE '{path}' SYMBOL '{symbol}'")
            }
        }
    }

    /// Where the text begins, if it is in the current statement.
    pub fn location(&self) -> Option<Location> {
        match self {
            FunctionBody::Sql(expression) => expression.location,
            FunctionBody::Module(module) => Some(module.location),
        }
    }
}
