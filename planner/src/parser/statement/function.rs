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

/// `name(a INT, b STRING) RETURNS type RETURN expression`.
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
}

impl FunctionBody {
    /// The name of the language.
    pub fn language(&self) -> &'static str {
        match self {
            FunctionBody::Sql(_) => "SQL",
        }
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        match self {
            FunctionBody::Sql(expression) => &expression.text,
        }
    }

    /// Where the text begins, if it is in the current statement.
    pub fn location(&self) -> Option<Location> {
        match self {
            FunctionBody::Sql(expression) => expression.location,
        }
    }
}
