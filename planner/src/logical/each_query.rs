//! A query and the views that it reads.

use std::ops::ControlFlow;
use std::sync::Arc;

use sqlparser::ast::{ObjectName, Visit, Visitor};

use crate::catalog::{Lookup, Object};
use crate::materialized::as_view;
use crate::parser::Query;
use levada_language::error::PlanError;

/// Calls `see` with the query, and then with that of each view that it reads, directly or by another view, and
/// with the view's name; once for each view.
///
/// # Errors
/// The first that `see` gives.
pub(crate) fn each_query(
    query: &Query,
    lookup: &Lookup<'_>,
    see: &mut dyn FnMut(&Query, Option<&str>) -> Result<(), PlanError>,
) -> Result<(), PlanError> {
    see(query, None)?;
    let mut search = Search {
        lookup: lookup.clone(),
        views: Vec::new(),
        see,
    };
    match query.ast.visit(&mut search) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Search<'a, 's> {
    lookup: Lookup<'a>,
    /// All that have been seen.
    views: Vec<String>,
    see: &'s mut dyn FnMut(&Query, Option<&str>) -> Result<(), PlanError>,
}

impl Visitor for Search<'_, '_> {
    type Break = PlanError;

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<PlanError> {
        let view = match self.lookup.find(relation) {
            Ok((_, Object::View(view))) => view,
            // Streams compute it anew; what is wrong with it is said where it is read.
            Ok((path, Object::Table(table))) if table.is_materialized_view() => {
                match as_view(&path, &table) {
                    Ok(view) => Arc::new(view),
                    Err(_) => return ControlFlow::Continue(()),
                }
            }
            _ => return ControlFlow::Continue(()),
        };
        if self.views.contains(&view.name) {
            return ControlFlow::Continue(());
        }
        self.views.push(view.name.clone());
        if let Err(error) = (self.see)(&view.query, Some(&view.name)) {
            return ControlFlow::Break(error);
        }
        let inner = self.lookup.from(&view.place);
        let lookup = std::mem::replace(&mut self.lookup, inner);
        view.query.ast.visit(self)?;
        self.lookup = lookup;
        ControlFlow::Continue(())
    }
}
