//! From the syntax of the dialect to that which DataFusion's SQL planner understands.
//!
//! The rewriting is on syntax trees, never on text, and positions stay where they were:
//! - window table functions become derived tables, and legacy group windows field accesses,
//!   both on the window marker of [`levada_language::functions::window`] ([`windows`]);
//! - `FOR SYSTEM_TIME AS OF` and ASOF JOIN become a marker in the condition of the join ([`versions`]);
//! - TO_CHANGELOG and FROM_CHANGELOG become a table of their own kind ([`changelogs`]);
//! - calls of UNNEST and of table functions become the tables that they are ([`unnest`]);
//! - tables with an OPTIONS hint get a name of their own, listed in
//!   [`super::Query::hinted_tables`];
//! - intervals, typed literals, and functions with a syntax of their own become plain calls
//!   ([`expressions`]);
//! - what DataFusion would accept and ignore is refused here.

mod aggregates;
mod arguments;
mod changelogs;
mod checks;
mod count_windows;
mod expressions;
mod functions;
mod grouping;
mod intervals;
mod items;
mod overlaps;
mod similar;
mod unnest;
mod versions;
mod windows;

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, GroupByExpr, Ident, ObjectName, Query, Select, SetExpr, SetOperator, SetQuantifier,
    TableAlias, TableFactor, VisitMut, VisitorMut,
};

use super::hints::{TableHints, misplaced_options};
use super::statement::HintedTable;
pub(crate) use changelogs::{ChangelogCall, Direction, show_codes};
use levada_language::error::{Location, PlanError};

/// Rewrites an expression that stands alone, such as that of a computed column.
pub(super) fn expression(ast: &mut Expr) -> Result<(), PlanError> {
    Rewriter::default().run(ast)
}

/// Rewrites a query; `hints` are its OPTIONS hints.
pub(super) fn query(ast: &mut Query, hints: TableHints) -> Result<Vec<HintedTable>, PlanError> {
    let mut rewriter = Rewriter {
        hints,
        hinted_tables: Vec::new(),
    };
    rewriter.run(ast)?;
    match rewriter.hints.keys().next() {
        Some(left_over) => Err(misplaced_options(*left_over)),
        None => Ok(rewriter.hinted_tables),
    }
}

#[derive(Default)]
struct Rewriter {
    hints: TableHints,
    hinted_tables: Vec<HintedTable>,
}

impl Rewriter {
    fn run(&mut self, ast: &mut impl VisitMut) -> Result<(), PlanError> {
        match ast.visit(self) {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(()),
        }
    }

    /// Gives a table with OPTIONS a name of its own, and its old name as alias.
    fn apply_options(&mut self, name: &mut ObjectName, alias: &mut Option<TableAlias>) {
        let Some(last) = name.0.last().and_then(|part| part.as_ident()).cloned() else {
            return;
        };
        let Some(options) = Location::of(last.span).and_then(|at| self.hints.remove(&at)) else {
            return;
        };
        let unique = format!("{}$options{}", last.value, self.hinted_tables.len() + 1);
        let renamed = ObjectName::from(vec![Ident {
            value: unique.clone(),
            quote_style: Some('`'),
            span: last.span,
        }]);
        self.hinted_tables.push(HintedTable {
            alias: unique,
            name: std::mem::replace(name, renamed),
            options,
        });
        alias.get_or_insert(TableAlias {
            explicit: true,
            name: last,
            columns: vec![],
            at: None,
        });
    }

    fn table_factor(&mut self, factor: &mut TableFactor) -> Result<(), PlanError> {
        if let Some(derived) = windows::table_function(factor)? {
            *factor = derived;
            return Ok(());
        }
        if let Some(unnested) = unnest::table_function(factor)? {
            *factor = unnested;
            return Ok(());
        }
        match factor {
            TableFactor::Table {
                name,
                alias,
                version,
                sample,
                args,
                with_ordinality,
                ..
            } => {
                let at = name_location(name);
                if *with_ordinality {
                    return Err(PlanError::unsupported("WITH ORDINALITY of a table", at)
                        .hint("the elements of UNNEST have an order; rows have one by ROW_NUMBER() OVER (…)"));
                }
                if let Some(version) = version {
                    return Err(versions::refused(version, at));
                }
                if sample.is_some() {
                    return Err(PlanError::unsupported("TABLESAMPLE", at));
                }
                if args.is_some() {
                    return Err(PlanError::unsupported(
                        format!("the table function {name}"),
                        at,
                    ));
                }
                self.apply_options(name, alias);
                Ok(())
            }
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => {
                unnest::check_joins(table_with_joins)?;
                versions::joins(table_with_joins)
            }
            TableFactor::Pivot { .. } => Err(PlanError::unsupported("PIVOT", factor_location(factor))),
            TableFactor::Unpivot { .. } => {
                Err(PlanError::unsupported("UNPIVOT", factor_location(factor)))
            }
            TableFactor::TableFunction { expr, .. } => Err(unknown_table_function(expr)),
            TableFactor::Function { name, .. } => Err(PlanError::unsupported(
                format!("LATERAL {name}(…)"),
                name_location(name),
            )
            .hint("write LATERAL TABLE(f(…)) with a function of values; windows stand in TABLE(…) without LATERAL")),
            _ => Ok(()),
        }
    }

    fn select(&mut self, select: &mut Select) -> Result<(), PlanError> {
        let at = Location::of(select.select_token.0.span);
        if !select.lateral_views.is_empty() {
            return Err(PlanError::unsupported("LATERAL VIEW", at));
        }
        if select.top.is_some() {
            return Err(PlanError::unsupported("TOP", at).hint("use LIMIT"));
        }
        if select.into.is_some() {
            return Err(PlanError::unsupported("SELECT … INTO", at)
                .hint("write CREATE TABLE t WITH (…) AS SELECT …, or INSERT INTO t SELECT …"));
        }
        checks::select(select)?;
        if let GroupByExpr::Expressions(_, modifiers) | GroupByExpr::All(modifiers) =
            &select.group_by
            && let Some(modifier) = modifiers.first()
        {
            return Err(PlanError::unsupported(format!("GROUP BY … {modifier}"), at)
                .hint("use GROUP BY ROLLUP (…), CUBE (…) or GROUPING SETS (…)"));
        }
        select.from.iter().try_for_each(unnest::check_joins)?;
        group_by_nothing(select)?;
        select.from.iter_mut().try_for_each(versions::joins)?;
        let windows = windows::GroupWindows::of_select(select)?;
        windows.rewrite_select(select)?;
        items::distinct_names(&mut select.projection);
        Ok(())
    }

    fn query(&mut self, query: &mut Query) -> Result<(), PlanError> {
        if let Some(with) = &query.with
            && with.recursive
        {
            let at = Location::of(with.with_token.0.span);
            return Err(PlanError::unsupported("WITH RECURSIVE", at));
        }
        if let Some(lock) = query.locks.first() {
            return Err(PlanError::unsupported(lock, body_location(&query.body))
                .hint("leave it out: a query locks nothing"));
        }
        sets(&mut query.body)?;
        fetch_to_limit(query)?;
        // ORDER BY belongs to the query, but may name the windows of its SELECT.
        if let SetExpr::Select(select) = query.body.as_ref() {
            checks::order_by(query, &select.projection)?;
            let windows = windows::GroupWindows::of_select(select)?;
            if let Some(order_by) = &mut query.order_by {
                windows.rewrite_order_by(order_by)?;
            }
        }
        Ok(())
    }
}

/// `GROUP BY ()` makes one group of everything, as aggregates alone do.
fn group_by_nothing(select: &mut Select) -> Result<(), PlanError> {
    let GroupByExpr::Expressions(keys, _) = &mut select.group_by else {
        return Ok(());
    };
    if !matches!(keys.as_slice(), [Expr::Tuple(parts)] if parts.is_empty()) {
        return Ok(());
    }
    if checks::aggregate_in(&select.projection).is_none() {
        let at = Location::of(select.select_token.0.span);
        return Err(PlanError::unsupported(
            "GROUP BY () without an aggregate",
            at,
        ));
    }
    keys.clear();
    Ok(())
}

/// A call in TABLE(…) that is no window.
fn unknown_table_function(expr: &Expr) -> PlanError {
    const KNOWN: &[&str] = &[
        "TUMBLE",
        "HOP",
        "CUMULATE",
        "SESSION",
        "COUNT_TUMBLE",
        "COUNT_HOP",
        "TO_CHANGELOG",
        "FROM_CHANGELOG",
    ];
    let at = expression_location(expr);
    let Expr::Function(function) = expr else {
        return PlanError::unsupported("an expression in TABLE(…)", at)
            .hint("write TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND))");
    };
    let name = function.name.to_string();
    let error = PlanError::unsupported(format!("the table function {name}"), at);
    match levada_language::error::nearest(&name, KNOWN.iter().copied()) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error.hint(format!("the table functions are {}", KNOWN.join(", "))),
    }
}

fn factor_location(factor: &TableFactor) -> Option<Location> {
    use sqlparser::ast::Spanned;
    Location::of(factor.span())
}

fn body_location(body: &SetExpr) -> Option<Location> {
    use sqlparser::ast::Spanned;
    Location::of(body.span())
}

/// MINUS is EXCEPT. Columns of this and of INTERSECT are compared by their place, not by their name.
fn sets(mut body: &mut SetExpr) -> Result<(), PlanError> {
    while let SetExpr::SetOperation {
        op,
        set_quantifier,
        left,
        right,
    } = body
    {
        let by_place = matches!(
            set_quantifier,
            SetQuantifier::None | SetQuantifier::Distinct | SetQuantifier::All
        );
        if !by_place && *op != SetOperator::Union {
            let what = format!("{op} {set_quantifier}");
            return Err(PlanError::unsupported(what, body_location(right))
                .hint("name the columns of both sides in the same order"));
        }
        if *op == SetOperator::Minus {
            *op = SetOperator::Except;
        }
        sets(right)?;
        body = left;
    }
    Ok(())
}

/// FETCH FIRST n ROWS ONLY says the same as LIMIT n.
fn fetch_to_limit(query: &mut Query) -> Result<(), PlanError> {
    use sqlparser::ast::{LimitClause, Offset};
    let Some(fetch) = query.fetch.take() else {
        return Ok(());
    };
    if fetch.with_ties || fetch.percent {
        return Err(PlanError::unsupported(
            "FETCH with PERCENT or WITH TIES",
            None,
        ));
    }
    let offset: Option<Offset> = match query.limit_clause.take() {
        Some(LimitClause::LimitOffset {
            limit: None,
            offset,
            ..
        }) => offset,
        None => None,
        Some(_) => return Err(PlanError::unsupported("both LIMIT and FETCH", None)),
    };
    query.limit_clause = Some(LimitClause::LimitOffset {
        limit: fetch.quantity.or_else(|| {
            Some(levada_language::dialect::number(
                1,
                sqlparser::tokenizer::Span::empty(),
            ))
        }),
        offset,
        limit_by: vec![],
    });
    Ok(())
}

impl VisitorMut for Rewriter {
    type Break = PlanError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<PlanError> {
        flow(self.query(query))
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<PlanError> {
        flow(self.select(select))
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<PlanError> {
        flow(self.table_factor(factor))
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<PlanError> {
        flow(expressions::rewrite(expr))
    }
}

fn flow(result: Result<(), PlanError>) -> ControlFlow<PlanError> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

fn name_location(name: &ObjectName) -> Option<Location> {
    let ident = name.0.first().and_then(|part| part.as_ident())?;
    Location::of(ident.span)
}

fn expression_location(expr: &Expr) -> Option<Location> {
    use sqlparser::ast::Spanned;
    match expr {
        Expr::Function(function) => name_location(&function.name),
        other => Location::of(other.span()),
    }
}

/// The expressions of GROUP BY; none for GROUP BY ALL.
fn group_expressions(group_by: &mut GroupByExpr) -> Option<&mut Vec<Expr>> {
    match group_by {
        GroupByExpr::Expressions(expressions, _) => Some(expressions),
        GroupByExpr::All(_) => None,
    }
}
