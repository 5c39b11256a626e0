//! Names of SELECT's items: where two would be called the same, the second gets a name of its own.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Ident, SelectItem, Spanned, visit_expressions_mut};

/// Gives a name to each item that has none and would be called like one before it: `a, a` becomes
/// `a, a AS a0`. An expression without a name is called after its text, in which casts do not
/// count.
pub(super) fn distinct_names(items: &mut [SelectItem]) {
    let mut taken: BTreeSet<String> = items.iter().filter_map(alias).collect();
    for item in items {
        let SelectItem::UnnamedExpr(expr) = item else {
            continue;
        };
        if taken.insert(called(expr)) {
            continue;
        }
        let base = match &*expr {
            Expr::Identifier(ident) => ident.value.clone(),
            Expr::CompoundIdentifier(parts) => {
                parts.last().map_or_else(String::new, |p| p.value.clone())
            }
            other => other.to_string(),
        };
        let free = (0..)
            .map(|n: usize| format!("{base}{n}"))
            .find(|name| !taken.contains(name));
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
