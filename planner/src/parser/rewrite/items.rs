//! Names of SELECT's items: where two would be called the same, the second gets a name of its own.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Ident, SelectItem, Spanned, visit_expressions_mut};

/// Gives a name to each item that has none: an expression is called after its text, and what
/// would be called like an item before it gets a number, so that `a, a` becomes `a, a AS a0`.
pub(super) fn distinct_names(items: &mut [SelectItem]) {
    let mut taken: BTreeSet<String> = items.iter().filter_map(alias).collect();
    for item in items {
        let SelectItem::UnnamedExpr(expr) = item else {
            continue;
        };
        let is_free = taken.insert(called(expr));
        let named_by_itself = matches!(
            expr,
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::CompoundFieldAccess { .. }
        );
        if is_free && named_by_itself {
            continue;
        }
        let base = match &*expr {
            Expr::Identifier(ident) => ident.value.clone(),
            Expr::CompoundIdentifier(parts) => {
                parts.last().map_or_else(String::new, |p| p.value.clone())
            }
            other => other.to_string(),
        };
        let mut names = std::iter::once(base.clone())
            .filter(|_| is_free)
            .chain((0..).map(|n: usize| format!("{base}{n}")));
        let free = names.find(|name| is_free || !taken.contains(name));
        let name = free.unwrap_or(base);
        taken.insert(name.clone());
        let mut alias = Ident::with_quote('`', name);
        alias.span = expr.span();
        *item = SelectItem::ExprWithAlias {
            expr: expr.clone(),
            alias,
        };
    }
}

fn alias(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        _ => None,
    }
}

/// What an item without a name is called.
fn called(expr: &Expr) -> String {
    let mut bare = expr.clone();
    let _ = visit_expressions_mut(&mut bare, |e| {
        while let Some(inner) = behind_cast(e) {
            *e = inner;
        }
        ControlFlow::<()>::Continue(())
    });
    bare.to_string()
}

fn behind_cast(expr: &mut Expr) -> Option<Expr> {
    match expr {
        Expr::Cast { expr, .. } | Expr::Nested(expr) => Some(expr.as_ref().clone()),
        Expr::TypedString(typed) => Some(Expr::Value(typed.value.clone())),
        _ => None,
    }
}
