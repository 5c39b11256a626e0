//! Where an error stands that DataFusion reports without a position.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Spanned, Visit, Visitor};

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

struct Calls {
    message: String,
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
        let Expr::Function(function) = expr else {
            return ControlFlow::Continue(());
        };
        let name = function.name.to_string().to_lowercase();
        let named = self.message.starts_with(&format!("{name} "))
            || [format!("'{name}'"), format!("{name}(")]
                .iter()
                .any(|shown| self.message.contains(shown.as_str()));
        match Location::of(function.name.span()) {
            Some(location) if named => ControlFlow::Break(location),
            _ => ControlFlow::Continue(()),
        }
    }
}
