//! Where an error about the columns of UNION, INTERSECT or EXCEPT stands: in the query whose column does not fit.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Query as AstQuery, Select, SelectItem, SetExpr, Spanned, Visit, Visitor,
};

use crate::parser::Query;
use levada_language::error::Location;

/// The place that an error is about, if it is one of these, and there is only one place that it can be.
pub(super) fn place(message: &str, query: &Query) -> Option<Location> {
    let widths = message.starts_with("the queries of ");
    let wanted = match widths {
        true => Wanted::OtherWidth,
        false => {
            let types = message.strip_prefix("UNION cannot put ")?;
            let (_, column) = types.strip_suffix(')')?.rsplit_once(" into one column (")?;
            Wanted::Column(column)
        }
    };
    let mut search = Search {
        wanted,
        found: Vec::new(),
    };
    // The search never breaks.
    let _ = query.ast.visit(&mut search);
    match search.found.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}

/// What does not fit.
enum Wanted<'a> {
    /// A query that has another number of columns than the first.
    OtherWidth,
    /// A column of this name, which is not in the first query.
    Column(&'a str),
}

struct Search<'a> {
    wanted: Wanted<'a>,
    found: Vec<Location>,
}

impl Search<'_> {
    /// Looks at the first SELECT, and another that is put to it.
    fn look(&mut self, first: &Select, other: &Select) {
        let found = match self.wanted {
            Wanted::OtherWidth => match (width(first), width(other)) {
                (Some(first), Some(other_width)) if first != other_width => {
                    other.projection.first()
                }
                _ => None,
            },
            Wanted::Column(column) => {
                let mut columns = other.projection.iter();
                columns.find(|item| name(item) == Some(column))
            }
        };
        self.found
            .extend(found.and_then(|item| Location::of(item.span())));
    }
}

impl Visitor for Search<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &AstQuery) -> ControlFlow<()> {
        let Some(named) = first(&query.body) else {
            return ControlFlow::Continue(());
        };
        let mut body = query.body.as_ref();
        while let SetExpr::SetOperation { left, right, .. } = body {
            if let Some(other) = first(right) {
                self.look(named, other);
            }
            body = left;
        }
        ControlFlow::Continue(())
    }
}

/// The SELECT that a body begins with.
fn first(mut body: &SetExpr) -> Option<&Select> {
    loop {
        body = match body {
            SetExpr::Select(select) => return Some(select),
            SetExpr::SetOperation { left, .. } => left,
            SetExpr::Query(query) => &query.body,
            _ => return None,
        }
    }
}

/// How many columns a SELECT has, if it names them all.
fn width(select: &Select) -> Option<usize> {
    let named = |item: &SelectItem| {
        !matches!(
            item,
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..)
        )
    };
    let all = select.projection.iter().all(named);
    all.then_some(select.projection.len())
}

/// What a column is called that has a name in the query.
fn name(item: &SelectItem) -> Option<&str> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(&alias.value),
        SelectItem::UnnamedExpr(Expr::Identifier(ident)) => Some(&ident.value),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => Some(&parts.last()?.value),
        _ => None,
    }
}
