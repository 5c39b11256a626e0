//! Where an error stands that DataFusion reports without a position.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Select, Spanned, TableFactor, Visit, Visitor};

use crate::parser::Query;
use levada_language::error::{Location, PlanError};

/// The error at the first column or call of a function that its message names; else as it is.
pub(super) fn locate(error: PlanError, query: &Query) -> PlanError {
    if error.location().is_some() {
        return error;
    }
    let mut calls = Calls {
        message: error.message().to_lowercase(),
    };
    match query.ast.visit(&mut calls) {
        ControlFlow::Break(location) => error.at(Some(location)),
        ControlFlow::Continue(()) => error,
    }
}

/// Where the first expression stands that passes the test.
pub(super) fn first(query: &Query, test: impl Fn(&Expr) -> bool) -> Option<Location> {
    match query.ast.visit(&mut First(test)) {
        ControlFlow::Break(location) => Some(location),
        ControlFlow::Continue(()) => None,
    }
}

struct First<T>(T);

impl<T: Fn(&Expr) -> bool> Visitor for First<T> {
    type Break = Location;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Location> {
        match Location::of(expr.span()) {
            Some(location) if (self.0)(expr) => ControlFlow::Break(location),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// Where the second table of the first join stands.
pub fn first_join(query: &Query) -> Option<Location> {
    match query.ast.visit(&mut Joined) {
        ControlFlow::Break(location) => Some(location),
        ControlFlow::Continue(()) => None,
    }
}

/// Where the first ORDER BY without LIMIT stands.
pub fn first_order_by(query: &Query) -> Option<Location> {
    match query.ast.visit(&mut Ordered) {
        ControlFlow::Break(location) => Some(location),
        ControlFlow::Continue(()) => None,
    }
}

struct Ordered;

impl Visitor for Ordered {
    type Break = Location;

    fn pre_visit_query(&mut self, query: &sqlparser::ast::Query) -> ControlFlow<Location> {
        let unlimited = query.limit_clause.is_none() && query.fetch.is_none();
        let order_by = query.order_by.as_ref().filter(|_| unlimited);
        match order_by.and_then(|order_by| Location::of(order_by.span())) {
            Some(location) => ControlFlow::Break(location),
            None => ControlFlow::Continue(()),
        }
    }
}

struct Joined;

impl Visitor for Joined {
    type Break = Location;

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Location> {
        let joins = select.from.iter().flat_map(|table| &table.joins);
        let joined = joins.map(|join| &join.relation);
        let listed = select.from.iter().skip(1).map(|table| &table.relation);
        // The elements of a row are no input of a join.
        let tables = joined.chain(listed);
        let mut tables = tables.filter(|t| !matches!(t, TableFactor::UNNEST { .. }));
        match tables.find_map(|t| Location::of(t.span())) {
            Some(location) => ControlFlow::Break(location),
            None => ControlFlow::Continue(()),
        }
    }
}

struct Calls {
    message: String,
}

impl Calls {
    /// Whether the message begins with this column: `t.c in SELECT is …`.
    fn names_column(&self, expr: &Expr) -> bool {
        let last = match expr {
            Expr::Identifier(ident) => Some(ident),
            Expr::CompoundIdentifier(idents) => idents.last(),
            _ => None,
        };
        let Some((column, _)) = self.message.split_once(" in ") else {
            return false;
        };
        let named = column.rsplit('.').next().unwrap_or(column);
        last.is_some_and(|ident| ident.value.to_lowercase() == named)
    }
}

impl Visitor for Calls {
    type Break = Location;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Location> {
        if let Expr::Identifier(ident) = expr
            && self.message == format!("column {} does not exist", ident.value.to_lowercase())
            && let Some(location) = Location::of(ident.span)
        {
            return ControlFlow::Break(location);
        }
        if self.names_column(expr)
            && let Some(location) = Location::of(expr.span())
        {
            return ControlFlow::Break(location);
        }
        let Expr::Function(function) = expr else {
            return ControlFlow::Continue(());
        };
        let name = function.name.to_string().to_lowercase();
        let named = self.message.starts_with(&format!("{name} "))
            || [
                format!("'{name}'"),
                format!("{name}("),
                format!(" of {name} must be "),
            ]
            .iter()
            .any(|shown| self.message.contains(shown.as_str()));
        match Location::of(function.name.span()) {
            Some(location) if named => ControlFlow::Break(location),
            _ => ControlFlow::Continue(()),
        }
    }
}
