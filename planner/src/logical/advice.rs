//! What to do about a name that DataFusion has not found, and where an operator stands that it
//! cannot compute: it knows neither how the query was written nor, often, where.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Ident, Select, SelectItem, Spanned, Value, Visit, Visitor,
};

use crate::parser::Query;
use levada_language::error::{Location, PlanError, PlanErrorKind, nearest};

/// The error where it stands in the query, with what to do.
pub(super) fn placed(error: PlanError, query: &Query) -> PlanError {
    advise(super::locate::locate(error, query), query).or_at(Some(query.location))
}

/// The error with a better hint or a position, if the query suggests one.
fn advise(error: PlanError, query: &Query) -> PlanError {
    match error.kind() {
        PlanErrorKind::UnknownColumn => about_column(error, query),
        PlanErrorKind::UnknownTable => about_table(error, query),
        PlanErrorKind::TypeMismatch if error.location().is_none() => {
            let message = error.message();
            let at = super::set_places::place(message, query)
                .or_else(|| operator(message, query))
                .or_else(|| condition(message, query));
            error.at(at)
        }
        // DataFusion says where the whole stands.
        PlanErrorKind::InvalidStatement => {
            let at = super::set_places::place(error.message(), query);
            error.at(at)
        }
        PlanErrorKind::Evaluation if error.location().is_none() => {
            let at = text(error.message(), query);
            error.at(at)
        }
        _ => error,
    }
}

/// `column NAME does not exist`.
fn about_column(error: PlanError, query: &Query) -> PlanError {
    let message = error.message().to_string();
    let name = message
        .strip_prefix("column ")
        .and_then(|rest| rest.strip_suffix(" does not exist"));
    let Some(name) = name else {
        return error;
    };
    let mut search = Search {
        name,
        at: error.location(),
        quoted: false,
        aliased: false,
    };
    // The search never breaks.
    let _ = query.ast.visit(&mut search);
    if search.quoted && error.hint_text().is_none() {
        return error.hint(format!(
            "double quotes are for names; texts stand in single quotes: '{name}'"
        ));
    }
    if search.aliased {
        return error.hint(format!(
            "{name} is what SELECT calls a column, which WHERE and ON do not know yet: write its expression, or put the query into FROM (…)"
        ));
    }
    error
}

struct Search<'a> {
    name: &'a str,
    at: Option<Location>,
    /// The name stands there in double quotes.
    quoted: bool,
    /// A SELECT gives a column that name.
    aliased: bool,
}

impl Search<'_> {
    fn sees(&mut self, ident: &Ident) {
        if ident.quote_style == Some('"') && Location::of(ident.span) == self.at {
            self.quoted = true;
        }
    }
}

impl Visitor for Search<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Identifier(ident) = expr {
            self.sees(ident);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        for item in &select.projection {
            if let SelectItem::ExprWithAlias { alias, .. } = item {
                self.aliased |= alias.value.eq_ignore_ascii_case(self.name);
            }
        }
        ControlFlow::Continue(())
    }
}

/// A common table expression may be near to the name of a table that does not exist.
fn about_table(error: PlanError, query: &Query) -> PlanError {
    let with = query.ast.with.iter().flat_map(|with| &with.cte_tables);
    let known: Vec<&str> = with.map(|cte| cte.alias.name.value.as_str()).collect();
    let wanted = error.message().strip_prefix("table or view ");
    let wanted = wanted.and_then(|rest| rest.strip_suffix(" does not exist"));
    match wanted.and_then(|name| nearest(name, known)) {
        Some(near) => {
            let hint = format!("did you mean {near}?");
            error.hint(hint)
        }
        None => error,
    }
}

/// Where the only WHERE of the query begins, if the message is about it.
fn condition(message: &str, query: &Query) -> Option<Location> {
    let mut search = Conditions(Vec::new());
    // The search never breaks.
    let _ = query.ast.visit(&mut search);
    match search.0.as_slice() {
        [only] if message.starts_with("a condition is needed") => Some(*only),
        _ => None,
    }
}

struct Conditions(Vec<Location>);

impl Visitor for Conditions {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let condition = select.selection.as_ref();
        self.0
            .extend(condition.and_then(|c| Location::of(c.span())));
        ControlFlow::Continue(())
    }
}

/// Where the text stands that the message begins with, as `'x' is no timestamp` does.
fn text(message: &str, query: &Query) -> Option<Location> {
    let (shown, _) = message.strip_prefix('\'')?.split_once("' is no ")?;
    super::locate::first(query, |expr| match expr {
        Expr::Value(value) => value.value == Value::SingleQuotedString(shown.to_string()),
        _ => false,
    })
}

/// Where the operator stands that the message shows between two types, if there is one of it only.
fn operator(message: &str, query: &Query) -> Option<Location> {
    let mut search = Operators {
        message,
        found: Vec::new(),
    };
    // The search never breaks.
    let _ = query.ast.visit(&mut search);
    match search.found.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}

struct Operators<'a> {
    message: &'a str,
    found: Vec<Location>,
}

impl Visitor for Operators<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let shown = match expr {
            Expr::BinaryOp { op, .. } => shown(op),
            Expr::Like { .. } => "LIKE ".to_string(),
            Expr::Cast { .. } => " cannot be cast to ".to_string(),
            _ => return ControlFlow::Continue(()),
        };
        if self.message.contains(&shown)
            && let Some(location) = Location::of(expr.span())
        {
            self.found.push(location);
        }
        ControlFlow::Continue(())
    }
}

fn shown(op: &BinaryOperator) -> String {
    match op {
        BinaryOperator::NotEq => " != ".to_string(),
        other => format!(" {other} "),
    }
}
