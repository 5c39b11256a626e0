//! STATE_TTL: how long the state of single joins and aggregations lives.
//!
//! `/*+ STATE_TTL('o' = '1d', 'p' = '2h') */` names inputs as the query calls them. It counts for every join and
//! every GROUP BY of the statement and its views that reads an input of that name, and goes before
//! `table.exec.state.ttl`.

#[cfg(test)]
mod tests;

use datafusion::logical_expr::LogicalPlan;

use crate::catalog::Lookup;
use crate::logical::each_query;
use crate::lowering::settings::parse_millis;
use crate::parser::{Hint, HintArg, Query, TableOption};
use levada_language::error::{PlanError, PlanErrorKind};

/// What the hints of a query say.
#[derive(Debug, Default)]
pub(super) struct StateTtls(Vec<StateTtl>);

/// One of them, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ttl(usize);

#[derive(Debug)]
struct StateTtl {
    /// What the query calls the input.
    name: String,
    /// In milliseconds; 0 is for ever.
    ttl_ms: u64,
    /// What is said if nothing heeds it.
    unheeded: PlanError,
    heeded: bool,
}

impl StateTtls {
    /// Those of a query and of the views that it reads.
    ///
    /// # Errors
    /// A hint has another form.
    pub(super) fn of(query: &Query, lookup: &Lookup<'_>) -> Result<Self, PlanError> {
        let mut ttls = Vec::new();
        each_query(query, lookup, &mut |query, view| {
            let hints = query.hints.iter().filter(|hint| hint.name == "STATE_TTL");
            for hint in hints {
                let read = read(hint).map_err(|error| within(error, hint, view))?;
                ttls.extend(read.into_iter().map(|(name, ttl_ms)| StateTtl {
                    unheeded: within(unheeded(&name), hint, view),
                    heeded: false,
                    name,
                    ttl_ms,
                }));
            }
            Ok(())
        })?;
        Ok(StateTtls(ttls))
    }

    /// What a hint says about the state of what comes from `input`.
    pub(super) fn of_input(&self, input: &LogicalPlan) -> Option<Ttl> {
        let name = name_of(input)?;
        let same = |ttl: &StateTtl| ttl.name.eq_ignore_ascii_case(name);
        self.0.iter().position(same).map(Ttl)
    }

    /// How long that state lives, in milliseconds: something heeds it.
    pub(super) fn heed(&mut self, ttl: Ttl) -> u64 {
        self.0.get_mut(ttl.0).map_or(0, |ttl| {
            ttl.heeded = true;
            ttl.ttl_ms
        })
    }

    /// # Errors
    /// A hint names something that no join and no aggregation reads.
    pub(super) fn check_heeded(&self) -> Result<(), PlanError> {
        match self.0.iter().find(|ttl| !ttl.heeded) {
            Some(ttl) => Err(ttl.unheeded.clone()),
            None => Ok(()),
        }
    }
}

/// The name of a table, view or subquery, behind filters and projections.
fn name_of(input: &LogicalPlan) -> Option<&str> {
    match input {
        // DataFusion's own name of a subquery of a condition.
        LogicalPlan::SubqueryAlias(alias) if alias.alias.table().starts_with("__") => {
            name_of(&alias.input)
        }
        LogicalPlan::SubqueryAlias(alias) => Some(alias.alias.table()),
        LogicalPlan::TableScan(scan) => Some(scan.table_name.table()),
        LogicalPlan::Filter(filter) => name_of(&filter.input),
        LogicalPlan::Projection(projection) => name_of(&projection.input),
        _ => None,
    }
}

fn read(hint: &Hint) -> Result<Vec<(String, u64)>, PlanError> {
    let pair = |arg: &HintArg| match arg {
        HintArg::Pair(TableOption { key, value, .. }) => match parse_millis(value) {
            Some(ttl_ms) => Ok((key.clone(), ttl_ms)),
            None => Err(malformed(&format!("'{value}' is no duration"))),
        },
        HintArg::Name(name) => Err(malformed(&format!("{name} has no duration"))),
    };
    match hint.args.is_empty() {
        true => Err(malformed("there is nothing in its parentheses")),
        false => hint.args.iter().map(pair).collect(),
    }
}

fn malformed(why: &str) -> PlanError {
    let message = format!("STATE_TTL says for how long the state of an input is kept, and {why}");
    PlanError::new(PlanErrorKind::InvalidOption, message)
        .hint("write STATE_TTL('orders' = '1 d', 'payments' = '12 h')")
}

fn unheeded(name: &str) -> PlanError {
    let message = format!("STATE_TTL names '{name}', which no join and no GROUP BY reads");
    PlanError::new(PlanErrorKind::UnknownName, message).hint(
        "name a table or subquery as the query calls it (by its alias, if it has one) where a join or a GROUP BY \
         reads it; windows and joins in event time forget by themselves",
    )
}

/// An error about a hint: where it stands, or in which view.
fn within(error: PlanError, hint: &Hint, view: Option<&str>) -> PlanError {
    match view {
        None => error.at(Some(hint.location)),
        Some(view) => error.detail(format!(
            "in view {view}, at {} of the statement that created it",
            hint.location
        )),
    }
}
