//! Functions of one's own: CREATE, ALTER, DROP, and how they are found.
//!
//! They are called by names as tables are, in lower case. A name without a database means, in this order, a temporary
//! system function, a function that is built in, and one of the current database, of which a temporary one lies over
//! a permanent one.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::logical_expr::ExprSchemable;
use sqlparser::ast::{Expr, Ident, ObjectName, Spanned, visit_expressions};

use super::{Lookup, ObjectPath, Place, location_of, modules};
use crate::logical::{Resolver, inlined};
use crate::parser::{CreateMode, DefineFunction, Expression, FunctionBody, FunctionDeclaration};
use levada_language::dialect::cast;
use levada_language::error::{Location, PlanError, PlanErrorKind};
use levada_language::types::SqlType;

/// A function of one's own.
#[derive(Debug, Clone)]
pub struct SqlFunction {
    /// What it is called in messages: with its database if that is not the one that sessions begin in.
    pub name: String,
    /// What tells it from all others.
    key: FunctionKey,
    /// Its parameters with their types.
    pub parameters: Vec<(String, SqlType)>,
    /// The type of its result.
    pub returns: SqlType,
    /// What it does.
    pub body: FunctionBody,
    /// What queries call it as, if it is a function of a module.
    pub(crate) called: Option<String>,
    /// The database from which names within it are found.
    pub place: Arc<Place>,
    /// Whether it was created with TEMPORARY.
    pub temporary: bool,
    /// Whether it was created with SYSTEM.
    pub system: bool,
}

/// What tells a function from all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FunctionKey {
    /// One of a database, temporary or not.
    Of(ObjectPath),
    /// A system function.
    System(String),
}

impl FunctionKey {
    fn shown(&self) -> String {
        match self {
            FunctionKey::Of(path) => path.to_string(),
            FunctionKey::System(name) => name.clone(),
        }
    }
}

impl SqlFunction {
    /// What tells it from all others.
    pub fn key(&self) -> FunctionKey {
        self.key.clone()
    }

    /// `name(a INT, b STRING)`.
    pub fn signature(&self) -> String {
        let parameters = self.parameters.iter();
        let parameters: Vec<String> = parameters
            .map(|(name, sql_type)| format!("{name} {sql_type}"))
            .collect();
        format!("{}({})", self.name, parameters.join(", "))
    }

    /// Whether it is of the rows of a group.
    pub fn is_aggregate(&self) -> bool {
        match &self.body {
            FunctionBody::Sql(_) => false,
            FunctionBody::Module(module) => module.aggregate,
        }
    }

    /// CREATE FUNCTION as SHOW CREATE FUNCTION prints it.
    pub fn create_sql(&self) -> String {
        let kind = match (self.temporary, self.system) {
            (_, true) => "TEMPORARY SYSTEM ",
            (true, false) => "TEMPORARY ",
            (false, false) => "",
        };
        let kind = match self.is_aggregate() {
            true => format!("{kind}AGGREGATE FUNCTION"),
            false => format!("{kind}FUNCTION"),
        };
        let (signature, returns) = (self.signature(), &self.returns);
        let (language, text) = (self.body.language(), self.body.text());
        let text = match &self.body {
            FunctionBody::Sql(_) => format!("RETURN {text}"),
            FunctionBody::Module(_) => text,
        };
        format!("CREATE {kind} {signature}\nRETURNS {returns}\nLANGUAGE {language}\n{text}")
    }

    /// The parameters as columns.
    fn schema(&self) -> SchemaRef {
        let parameters = self.parameters.iter();
        let fields = parameters.map(|(name, sql_type)| Field::new(name, sql_type.to_arrow(), true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }
}

/// Which function a statement is about.
fn which(lookup: &Lookup<'_>, name: &ObjectName, system: bool) -> Result<FunctionKey, PlanError> {
    if !system {
        let mut path = lookup.path(name)?;
        path.name = path.name.to_lowercase();
        return Ok(FunctionKey::Of(path));
    }
    let only = match name.0.as_slice() {
        [only] => only.as_ident(),
        _ => None,
    };
    match only {
        Some(ident) => Ok(FunctionKey::System(ident.value.to_lowercase())),
        None => Err(PlanError::new(
            PlanErrorKind::InvalidStatement,
            "a system function is in no database",
        )
        .hint("write its name alone")
        .at(location_of(name))),
    }
}

fn existing(lookup: &Lookup<'_>, which: &FunctionKey, temporary: bool) -> Option<Arc<SqlFunction>> {
    match (which, temporary) {
        (FunctionKey::System(name), _) => lookup.catalogs().system_function(name),
        (FunctionKey::Of(path), true) => lookup.catalogs().temporary_function(path),
        (FunctionKey::Of(path), false) => lookup.catalogs().permanent_function(path),
    }
}

/// CREATE, ALTER and DROP of a function; `module` is what the file has that the statement names. Says what happened.
///
/// # Errors
/// It is there already, or is not there, or its expression or module is wrong.
pub fn define_function(
    lookup: &Lookup<'_>,
    resolver: &Resolver,
    statement: &DefineFunction,
    module: Option<&[u8]>,
) -> Result<String, PlanError> {
    let maker = Maker {
        lookup,
        resolver,
        module,
    };
    match statement {
        DefineFunction::Create {
            mode,
            system,
            function,
        } => maker.create(*mode, *system, function),
        DefineFunction::Alter {
            temporary,
            system,
            if_exists,
            function,
        } => {
            let name = &function.name;
            let which = which(lookup, name, *system)?;
            if existing(lookup, &which, *temporary).is_none() {
                return missing(lookup, name, *if_exists);
            }
            let made = maker.made(&which, *temporary, function)?;
            put(lookup, &which, made)?;
            Ok(format!("function {name} altered"))
        }
        DefineFunction::Drop {
            temporary,
            system,
            if_exists,
            name,
        } => {
            let which = which(lookup, name, *system)?;
            match existing(lookup, &which, *temporary) {
                None => return missing(lookup, name, *if_exists),
                Some(_) => match &which {
                    FunctionKey::System(name) => lookup.catalogs().remove_system_function(name),
                    FunctionKey::Of(path) => lookup.catalogs().remove_function(path, *temporary)?,
                },
            };
            Ok(format!("function {name} dropped"))
        }
    }
}

/// What it takes to make a function.
struct Maker<'a> {
    lookup: &'a Lookup<'a>,
    resolver: &'a Resolver,
    module: Option<&'a [u8]>,
}

impl Maker<'_> {
    fn create(
        &self,
        mode: CreateMode,
        system: bool,
        declaration: &FunctionDeclaration,
    ) -> Result<String, PlanError> {
        let lookup = self.lookup;
        let name = &declaration.name;
        let which = which(lookup, name, system)?;
        if !mode.or_replace && existing(lookup, &which, mode.temporary).is_some() {
            if mode.if_not_exists {
                return Ok(format!("function {name} exists already"));
            }
            return Err(PlanError::new(
                PlanErrorKind::DuplicateName,
                format!("function {} exists already", which.shown()),
            )
            .hint("use CREATE OR REPLACE, or IF NOT EXISTS, or drop it first")
            .at(location_of(name)));
        }
        let made = self.made(&which, mode.temporary, declaration)?;
        put(lookup, &which, made)?;
        Ok(format!("function {name} created"))
    }

    /// The function that is declared, its expression or module checked.
    fn made(
        &self,
        which: &FunctionKey,
        temporary: bool,
        declaration: &FunctionDeclaration,
    ) -> Result<SqlFunction, PlanError> {
        let parameters = declaration.parameters.iter();
        let mut function = SqlFunction {
            name: which.shown(),
            key: which.clone(),
            parameters: parameters
                .map(|one| (one.name.value.clone(), one.sql_type.clone()))
                .collect(),
            returns: declaration.returns.clone(),
            body: declaration.body.clone(),
            called: None,
            place: Arc::clone(self.lookup.place()),
            temporary,
            system: matches!(which, FunctionKey::System(_)),
        };
        match &declaration.body {
            FunctionBody::Sql(body) => check(self.lookup, self.resolver, &function, body)?,
            FunctionBody::Module(body) => {
                let bytes = self.module.ok_or_else(|| {
                    PlanError::unsupported("a function of a module here", Some(body.location))
                })?;
                let called = modules::called(self.resolver, &function, body, bytes)?;
                function.called = Some(called);
            }
        }
        Ok(function)
    }
}

fn put(lookup: &Lookup<'_>, which: &FunctionKey, function: SqlFunction) -> Result<(), PlanError> {
    let function = Arc::new(function);
    match which {
        FunctionKey::System(name) => {
            lookup.catalogs().put_system_function(name, function);
            Ok(())
        }
        FunctionKey::Of(path) => lookup.catalogs().put_function(path, function),
    }
}

fn missing(lookup: &Lookup<'_>, name: &ObjectName, if_exists: bool) -> Result<String, PlanError> {
    match if_exists {
        true => Ok(format!("function {name} does not exist")),
        false => Err(lookup.unknown_function(name)),
    }
}

/// Checks that the expression is one over the parameters, and of a type that the result can be cast from.
fn check(
    lookup: &Lookup<'_>,
    resolver: &Resolver,
    function: &SqlFunction,
    body: &Expression,
) -> Result<(), PlanError> {
    no_subquery(body)?;
    let mut expression: Expression = inlined(body, lookup, resolver, Some(function.key()))?;
    let schema = function.schema();
    let resolved = resolver
        .resolve(&expression, &schema)
        .map_err(|error| only_parameters(error, function))?;
    let found = resolved.get_type(&DFSchema::try_from(schema.as_ref().clone())?)?;
    let plain = Expr::Nested(Box::new(expression.ast));
    expression.ast = cast(plain, function.returns.to_string());
    let columns = DFSchema::try_from(schema.as_ref().clone())?;
    let cast = resolver.resolve(&expression, &schema);
    match cast.and_then(|cast| resolver.physical(&cast, &columns)) {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() != PlanErrorKind::TypeMismatch => return Err(error),
        Err(_) => {}
    }
    Err(PlanError::new(
        PlanErrorKind::TypeMismatch,
        format!(
            "function {} returns {}, and its expression has the type {}",
            function.name,
            function.returns,
            SqlType::from_arrow(&found)
        ),
    )
    .at(body.location))
}

fn no_subquery(body: &Expression) -> Result<(), PlanError> {
    let found = visit_expressions(&body.ast, |expr| match expr {
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => {
            ControlFlow::Break(Location::of(expr.span()).or(body.location))
        }
        _ => ControlFlow::Continue(()),
    });
    match found {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(location) => Err(PlanError::new(
            PlanErrorKind::InvalidStatement,
            "a subquery cannot stand in the expression of a function",
        )
        .hint("give what it finds to the function as an argument: f((SELECT …))")
        .at(location)),
    }
}

fn only_parameters(error: PlanError, function: &SqlFunction) -> PlanError {
    if error.kind() != PlanErrorKind::UnknownColumn || error.hint_text().is_some() {
        return error;
    }
    let names: Vec<&str> = function
        .parameters
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    error.hint(match names.as_slice() {
        [] => {
            "the expression of a function sees its parameters alone, and this one has none".into()
        }
        names => format!(
            "the expression of a function sees its parameters alone: {}",
            names.join(", ")
        ),
    })
}

impl Lookup<'_> {
    /// The function that a name from a statement means, if it is one's own; `built_in` says that there is a function
    /// of this name that is built in.
    ///
    /// # Errors
    /// There is no such database or catalog, with the name's position.
    pub fn function(
        &self,
        name: &ObjectName,
        built_in: bool,
    ) -> Result<Option<Arc<SqlFunction>>, PlanError> {
        if let [only] = name.0.as_slice() {
            let Some(ident) = only.as_ident() else {
                return Ok(None);
            };
            let system = self.catalogs().system_function(&ident.value.to_lowercase());
            if system.is_some() || built_in {
                return Ok(system);
            }
        }
        let mut path = self.path(name)?;
        path.name = path.name.to_lowercase();
        let temporary = self.catalogs().temporary_function(&path);
        Ok(temporary.or_else(|| self.catalogs().permanent_function(&path)))
    }

    /// Whether a name means this function if there is one of the name.
    ///
    /// # Errors
    /// There is no such database or catalog, with the name's position.
    pub fn means_function(
        &self,
        name: &ObjectName,
        built_in: bool,
        key: &FunctionKey,
    ) -> Result<bool, PlanError> {
        let only = match name.0.as_slice() {
            [only] => only.as_ident(),
            _ => None,
        };
        let path = match (key, only) {
            (FunctionKey::System(wanted), Some(ident)) => {
                return Ok(ident.value.to_lowercase() == *wanted);
            }
            (FunctionKey::System(_), None) => return Ok(false),
            (FunctionKey::Of(_), Some(ident)) if built_in || self.is_system(ident) => {
                return Ok(false);
            }
            (FunctionKey::Of(path), _) => path,
        };
        let mut meant = self.path(name)?;
        meant.name = meant.name.to_lowercase();
        Ok(meant == *path)
    }

    fn is_system(&self, name: &Ident) -> bool {
        let name = name.value.to_lowercase();
        self.catalogs().system_function(&name).is_some()
    }

    /// The error that a function does not exist.
    pub fn unknown_function(&self, name: &ObjectName) -> PlanError {
        let error = PlanError::new(
            PlanErrorKind::UnknownFunction,
            format!("function {name} does not exist"),
        );
        let known = self.catalogs().functions(self.place());
        let last = name.0.last().map(ToString::to_string).unwrap_or_default();
        let error = error
            .suggest(&last, known.iter().map(String::as_str))
            .at(location_of(name));
        match error.hint_text() {
            Some(_) => error,
            None => error.hint("SHOW USER FUNCTIONS lists your own"),
        }
    }
}
