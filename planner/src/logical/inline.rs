//! Calls of functions of one's own become what the functions do.
//!
//! A function of a module stays a call, by the name that says which one it is. Any other
//! call is replaced by the function's expression, cast to the type of the result, with each parameter replaced by the
//! argument, cast to the type of the parameter. It stays a syntax tree: what names mean is found later, and an
//! expression of a function has no names but those of its parameters, so none of them can mean something else. Functions
//! that it calls are found from the database in which it was created.

use std::ops::ControlFlow;
use std::sync::Arc;

use sqlparser::ast::{
    AccessExpr, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName,
    ObjectNamePart, VisitMut, Visitor, VisitorMut,
};
use sqlparser::tokenizer::Span;

use super::Resolver;
use crate::catalog::{FunctionKey, Lookup, SqlFunction, location_of};
use crate::parser::{Expression, FunctionBody, Query, names};
use levada_language::dialect::{self, cast, text};
use levada_language::error::{Location, PlanError, PlanErrorKind};

/// Functions within functions go at most this deep.
const DEPTH: usize = 32;
/// A query may become so many calls at most.
const CALLS: usize = 10_000;

/// An expression without calls of functions of one's own. `within` is the function whose expression it is, called as
/// [`SqlFunction::key`] says.
///
/// # Errors
/// A call has other arguments than the function takes, or a function calls itself.
pub fn inlined(
    expression: &Expression,
    lookup: &Lookup<'_>,
    resolver: &Resolver,
    within: Option<FunctionKey>,
) -> Result<Expression, PlanError> {
    let mut expression = expression.clone();
    let mut inliner = Inliner {
        lookup: lookup.clone(),
        resolver,
        stack: within.into_iter().collect(),
        calls: 0,
    };
    match expression.ast.visit(&mut inliner) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(expression),
    }
}

/// Replaces the calls in a query.
///
/// # Errors
/// See [`inlined`].
pub(super) fn inline(
    ast: &mut impl VisitMut,
    lookup: &Lookup<'_>,
    resolver: &Resolver,
) -> Result<(), PlanError> {
    let mut inliner = Inliner {
        lookup: lookup.clone(),
        resolver,
        stack: Vec::new(),
        calls: 0,
    };
    match ast.visit(&mut inliner) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// An error that a value cannot be cast, at the call of which it is an argument, if there is only one that it can be.
pub(super) fn about_argument(
    error: PlanError,
    query: &Query,
    lookup: &Lookup<'_>,
    resolver: &Resolver,
) -> PlanError {
    let wanted = error.message().split_once(" cannot be cast to ");
    let Some((_, wanted)) = wanted.filter(|_| error.location().is_none()) else {
        return error;
    };
    let mut search = CastTo {
        inliner: Inliner {
            lookup: lookup.clone(),
            resolver,
            stack: Vec::new(),
            calls: 0,
        },
        wanted,
        found: Vec::new(),
    };
    // The search never breaks.
    let _: ControlFlow<()> = sqlparser::ast::Visit::visit(&query.ast, &mut search);
    match search.found.as_slice() {
        [Some((function, location))] => {
            let hint = format!("it is {}", function.signature());
            let at = *location;
            error.hint(hint).at(at)
        }
        _ => error,
    }
}

/// What casts to a type: calls of functions of one's own, and casts.
struct CastTo<'a> {
    inliner: Inliner<'a>,
    wanted: &'a str,
    found: Vec<Option<(Arc<SqlFunction>, Option<Location>)>>,
}

impl Visitor for CastTo<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Cast { .. } => self.found.push(None),
            Expr::Function(call) => {
                let built_in = self.inliner.is_built_in(&call.name);
                let function = self.inliner.lookup.function(&call.name, built_in);
                if let Ok(Some(function)) = function {
                    let mut types = function.parameters.iter().map(|(_, to)| to.to_string());
                    if types.any(|to| to == self.wanted) {
                        let location = location_of(&call.name);
                        self.found.push(Some((function, location)));
                    }
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

struct Inliner<'a> {
    lookup: Lookup<'a>,
    resolver: &'a Resolver,
    /// The functions whose expressions are being put in, the innermost last.
    stack: Vec<FunctionKey>,
    calls: usize,
}

impl VisitorMut for Inliner<'_> {
    type Break = PlanError;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<PlanError> {
        let Expr::Function(call) = expr else {
            return ControlFlow::Continue(());
        };
        match self.replaced(call) {
            Ok(None) => {}
            Ok(Some(new)) => *expr = new,
            Err(error) => return ControlFlow::Break(error.or_at(location_of(&call.name))),
        }
        ControlFlow::Continue(())
    }
}

impl Inliner<'_> {
    /// What stands in place of a call, whose arguments have been replaced already; `None` if it stays.
    fn replaced(&mut self, call: &Function) -> Result<Option<Expr>, PlanError> {
        let built_in = self.is_built_in(&call.name);
        if let [within] = self.stack.as_slice()
            && self.lookup.means_function(&call.name, built_in, within)?
        {
            return Err(calls_itself(call.name.to_string()));
        }
        let function = self.lookup.function(&call.name, built_in)?;
        let Some(function) = function else {
            return match call.name.0.as_slice() {
                [_] => Ok(None),
                _ => Err(self.lookup.unknown_function(&call.name)),
            };
        };
        let arguments = arguments(call, &function)?;
        let span = match call.name.0.first().and_then(ObjectNamePart::as_ident) {
            Some(ident) => ident.span,
            None => Span::empty(),
        };
        if let Some(called) = &function.called {
            return Ok(Some(of_module(call, &function, called, arguments)));
        }
        let mut body = self.body(&function)?;
        let mut filling = Filling {
            function: &function,
            arguments: &arguments,
            span,
        };
        let _: ControlFlow<()> = body.visit(&mut filling);
        let body = Expr::Nested(Box::new(body));
        Ok(Some(cast(body, function.returns.to_string())))
    }

    /// The function's expression, without calls of functions of one's own.
    fn body(&mut self, function: &Arc<SqlFunction>) -> Result<Expr, PlanError> {
        let FunctionBody::Sql(expression) = &function.body else {
            return Err(PlanError::internal("a function of a module has no text"));
        };
        self.calls += 1;
        let key = function.key();
        if self.stack.contains(&key) {
            return Err(calls_itself(function.name.clone()));
        }
        if self.stack.len() >= DEPTH || self.calls > CALLS {
            return Err(PlanError::unsupported(
                "functions that call each other so often",
                None,
            ));
        }
        let mut body = expression.ast.clone();
        let place = self.lookup.from(&function.place);
        let outer = std::mem::replace(&mut self.lookup, place);
        self.stack.push(key);
        let visited = body.visit(self);
        self.stack.pop();
        self.lookup = outer;
        match visited {
            ControlFlow::Continue(()) => Ok(body),
            ControlFlow::Break(error) if self.stack.is_empty() => {
                Err(error.from_elsewhere(&format!("in the function {}", function.name)))
            }
            ControlFlow::Break(error) => Err(error),
        }
    }

    fn is_built_in(&self, name: &ObjectName) -> bool {
        let [only] = name.0.as_slice() else {
            return false;
        };
        let Some(ident) = only.as_ident() else {
            return true;
        };
        let name = ident.value.to_ascii_lowercase();
        let state = self.resolver.state();
        state.scalar_functions().contains_key(&name)
            || state.higher_order_functions().contains_key(&name)
            || state.aggregate_functions().contains_key(&name)
            || state.window_functions().contains_key(&name)
    }
}

/// The call of a function of a module: by the name that says which one it is, its arguments cast to the types of the
/// parameters.
fn of_module(call: &Function, function: &SqlFunction, called: &str, arguments: Vec<Expr>) -> Expr {
    let parameters = function.parameters.iter();
    let args = arguments.into_iter().zip(parameters);
    let args = args.map(|(argument, (_, sql_type))| {
        let argument = Expr::Nested(Box::new(argument));
        cast(argument, sql_type.to_string())
    });
    let mut args: Vec<Expr> = args.collect();
    let span = match call.name.0.first().and_then(ObjectNamePart::as_ident) {
        Some(ident) => ident.span,
        None => Span::empty(),
    };
    if function.is_aggregate() {
        args = vec![collected(call, span, args)];
    }
    let mut result = dialect::call("", span, args);
    if let Expr::Function(result) = &mut result {
        result.name = ObjectName::from(vec![Ident::with_quote_and_span('`', span, called)]);
    }
    cast(result, function.returns.to_string())
}

/// The arguments of all rows of a group that a call of an aggregate is about.
fn collected(call: &Function, span: Span, mut args: Vec<Expr>) -> Expr {
    let value = match (args.len(), args.pop()) {
        (1, Some(only)) => only,
        (_, last) => dialect::call("struct", span, args.into_iter().chain(last)),
    };
    let mut all = dialect::call("array_agg", span, [value]);
    if let (Expr::Function(all), FunctionArguments::List(list)) = (&mut all, &call.args) {
        all.filter = call.filter.clone();
        if let FunctionArguments::List(own) = &mut all.args {
            own.duplicate_treatment = list.duplicate_treatment;
        }
    }
    all
}

fn calls_itself(name: String) -> PlanError {
    PlanError::new(
        PlanErrorKind::InvalidStatement,
        format!("function {name} calls itself"),
    )
    .hint(
        "the expression of a function is put in place of its call, which would not come to an end",
    )
}

/// The arguments of a call, as many as there are parameters.
fn arguments(call: &Function, function: &SqlFunction) -> Result<Vec<Expr>, PlanError> {
    let refused = |what: String| {
        Err(PlanError::new(PlanErrorKind::InvalidStatement, what)
            .hint(format!("it is {}", function.signature()))
            .at(location_of(&call.name)))
    };
    let name = &function.name;
    let aggregate = function.is_aggregate();
    let plain = call.over.is_none()
        && (aggregate || call.filter.is_none())
        && call.null_treatment.is_none()
        && call.within_group.is_empty();
    if !plain && aggregate {
        return refused(format!(
            "{name} is an aggregate of one's own, and takes neither OVER nor an order"
        ));
    }
    if !plain {
        return refused(format!(
            "{name} is a function of one row, and takes neither OVER nor FILTER"
        ));
    }
    let given = match &call.args {
        FunctionArguments::List(list)
            if list.clauses.is_empty() && (aggregate || list.duplicate_treatment.is_none()) =>
        {
            list.args.as_slice()
        }
        _ => return refused(format!("{name} takes its arguments in parentheses")),
    };
    if given.len() != function.parameters.len() {
        return refused(format!(
            "{name} takes {} arguments, and {} are given",
            function.parameters.len(),
            given.len()
        ));
    }
    let mut arguments = Vec::new();
    for argument in given {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => arguments.push(expr.clone()),
            _ => return refused(format!("{name} takes its arguments by position")),
        }
    }
    Ok(arguments)
}

/// Puts arguments in place of parameters. What else there is stands, for messages, where the call stands.
struct Filling<'a> {
    function: &'a SqlFunction,
    arguments: &'a [Expr],
    span: Span,
}

impl Filling<'_> {
    fn argument(&self, name: &str) -> Option<Expr> {
        let parameters = &self.function.parameters;
        let known = names::resolve(name, parameters.iter().map(|(name, _)| name.as_str()))?;
        let place = parameters.iter().position(|(name, _)| name == known)?;
        let (_, sql_type) = parameters.get(place)?;
        let argument = Expr::Nested(Box::new(self.arguments.get(place)?.clone()));
        Some(cast(argument, sql_type.to_string()))
    }
}

/// Access to a field, which is no name of anything else.
fn field(name: &Ident) -> AccessExpr {
    AccessExpr::Dot(text(name.value.clone(), name.span))
}

impl VisitorMut for Filling<'_> {
    type Break = ();

    /// A field that is called like a parameter is none.
    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundFieldAccess { access_chain, .. } = expr {
            for access in access_chain {
                if let AccessExpr::Dot(Expr::Identifier(name)) = access {
                    *access = field(name);
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(ident) => match self.argument(&ident.value) {
                Some(argument) => *expr = argument,
                None => ident.span = self.span,
            },
            Expr::CompoundIdentifier(parts) => {
                let root = parts.first().and_then(|first| self.argument(&first.value));
                let fields = parts.iter().skip(1).map(field);
                if let Some(root) = root {
                    *expr = Expr::CompoundFieldAccess {
                        root: Box::new(Expr::Nested(Box::new(root))),
                        access_chain: fields.collect(),
                    };
                }
            }
            Expr::Value(value) => value.span = self.span,
            Expr::Function(call) => {
                for part in &mut call.name.0 {
                    if let ObjectNamePart::Identifier(ident) = part {
                        ident.span = self.span;
                    }
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
