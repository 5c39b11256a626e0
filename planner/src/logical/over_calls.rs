//! Where functions are called with OVER, for the errors about them: DataFusion's plan does not say.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Spanned, Visit, Visitor};

use super::each_query::each_query;
use crate::catalog::Lookup;
use crate::parser::Query;
use levada_language::error::{Location, PlanError};

/// A call of a function with OVER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OverCall {
    /// The function's name in lower case.
    pub(crate) name: String,
    /// Where it stands in the statement, or in the one that created the view.
    location: Location,
    /// The view that it stands in.
    view: Option<String>,
}

impl OverCall {
    /// An unsupported construct at this place.
    pub(crate) fn unsupported(&self, construct: &str) -> PlanError {
        match &self.view {
            None => PlanError::unsupported(construct, Some(self.location)),
            Some(view) => PlanError::unsupported(construct, None).detail(format!(
                "in view {view}, at {} of the statement that created it",
                self.location
            )),
        }
    }
}

/// The calls of functions with OVER: those of the query in the order in which they stand, then those
/// of the views that it reads.
pub(crate) fn over_calls(query: &Query, lookup: &Lookup<'_>) -> Vec<OverCall> {
    let mut search = Search {
        within: None,
        calls: Vec::new(),
    };
    // Nothing in it fails.
    let _ = each_query(query, lookup, &mut |query, view| {
        search.within = view.map(str::to_string);
        let _ = query.ast.visit(&mut search);
        Ok(())
    });
    search.calls
}

struct Search {
    /// The view that is looked through.
    within: Option<String>,
    calls: Vec<OverCall>,
}

impl Visitor for Search {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Function(call) = expr
            && call.over.is_some()
            && let Some(location) = Location::of(call.name.span())
        {
            self.calls.push(OverCall {
                name: call.name.to_string().to_lowercase(),
                location,
                view: self.within.clone(),
            });
        }
        ControlFlow::Continue(())
    }
}
