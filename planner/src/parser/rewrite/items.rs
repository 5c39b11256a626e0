//! Names of SELECT's items: what has none is called after its text, and no two are the same.

use std::collections::BTreeSet;

use sqlparser::ast::{AccessExpr, Expr, Ident, SelectItem, Spanned};

/// Gives a name to each item that has none: a column or field keeps its own, an expression is
/// called after its text, and what would be called like an item before it gets a number, so that
/// `a, a` becomes `a, a AS a0`.
pub(super) fn distinct_names(items: &mut [SelectItem]) {
    let mut taken: BTreeSet<String> = items.iter().filter_map(alias).collect();
    for item in items {
        let SelectItem::UnnamedExpr(expr) = item else {
            continue;
        };
        let own = own_name(expr);
        let named_by_itself = own.is_some();
        let base = own.unwrap_or_else(|| expr.to_string());
        let mut name = base.clone();
        let mut number = 0usize;
        while !taken.insert(name.clone()) {
            name = format!("{base}{number}");
            number += 1;
        }
        if named_by_itself && name == base {
            continue;
        }
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

/// The name of a column or field.
fn own_name(expr: &Expr) -> Option<String> {
    let ident = match expr {
        Expr::Identifier(ident) => ident,
        Expr::CompoundIdentifier(parts) => parts.last()?,
        Expr::CompoundFieldAccess { access_chain, .. } => match access_chain.last()? {
            AccessExpr::Dot(Expr::Identifier(ident)) => ident,
            _ => return None,
        },
        _ => return None,
    };
    Some(ident.value.clone())
}
