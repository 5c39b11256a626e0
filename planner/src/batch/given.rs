//! Queries over tables that whoever runs them gives: nothing else can be read.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::datasource::{TableProvider, provider_as_source};
use sqlparser::ast::{Ident, Query, TableFactor, Visit, Visitor};

use crate::logical::FileTables;
use levada_language::error::{Location, PlanError};

/// Tables by their names, no two of which differ in case alone.
pub type GivenTables = BTreeMap<String, Arc<dyn TableProvider>>;

/// Those of the tables that a query names, by the names that it uses: an exact one goes before one that
/// differs in case. Names that fit none are left to those who resolve them.
pub(super) fn named(query: &Query, given: &GivenTables) -> Result<FileTables, PlanError> {
    let mut named = Named {
        given,
        tables: FileTables::new(),
    };
    match query.visit(&mut named) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(named.tables),
    }
}

struct Named<'a> {
    given: &'a GivenTables,
    tables: FileTables,
}

impl Named<'_> {
    fn find(&self, name: &Ident) -> Option<&Arc<dyn TableProvider>> {
        let same = |known: &&String| known.eq_ignore_ascii_case(&name.value);
        let other = || self.given.keys().find(same);
        self.given
            .get(&name.value)
            .or_else(|| self.given.get(other()?))
    }
}

impl Visitor for Named<'_> {
    type Break = PlanError;

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<PlanError> {
        let TableFactor::Table { name, .. } = factor else {
            return ControlFlow::Continue(());
        };
        let [only] = name.0.as_slice() else {
            return ControlFlow::Continue(());
        };
        let Some(ident) = only.as_ident() else {
            return ControlFlow::Continue(());
        };
        if ident.quote_style == Some('\'') {
            let at = Location::of(ident.span);
            let error = PlanError::unsupported("reading files in such a query", at);
            return ControlFlow::Break(error);
        }
        if let Some(table) = self.find(ident) {
            let source = provider_as_source(Arc::clone(table));
            self.tables.insert(ident.value.clone(), source);
        }
        ControlFlow::Continue(())
    }
}
