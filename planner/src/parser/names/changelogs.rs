//! Names in TO_CHANGELOG and FROM_CHANGELOG: those of the table that they are given.

use sqlparser::ast::{Expr, ExprWithAlias, TableFactor};

use super::Resolver;
use super::scope::{Column, Relation, Scope};
use crate::parser::rewrite::{ChangelogCall, Direction};

impl Resolver<'_> {
    /// Resolves the names in a call, and puts what it gives into `scope`.
    pub(super) fn changelog(
        &mut self,
        factor: &mut TableFactor,
        scope: &mut Scope,
        outer: &[&Scope],
    ) {
        let TableFactor::Unpivot {
            table,
            value,
            name,
            columns,
            alias,
            ..
        } = factor
        else {
            return;
        };
        let mut input = Scope::default();
        self.table_factor(table, &mut input, outer);
        self.expressions(columns, &[&input]);
        let Some(call) = ChangelogCall::of(value, name) else {
            return;
        };
        let named: Vec<&str> = columns.iter().filter_map(name_of).collect();
        let of_input = |name: &&str| {
            input
                .columns()
                .find(|column| column.name == **name)
                .cloned()
        };
        let rest = input
            .columns()
            .filter(|c| !named.contains(&c.name.as_str()));
        let given: Vec<Column> = match call.direction {
            Direction::To => {
                let op = Column::untyped(call.op);
                let keys = named.iter().filter_map(of_input);
                keys.chain([op]).chain(rest.cloned()).collect()
            }
            Direction::From => {
                let keys = named.iter().skip(1).filter_map(of_input);
                keys.chain(rest.cloned()).collect()
            }
        };
        self.enter(Relation::unnamed(given), alias.as_ref(), None, scope);
    }
}

fn name_of(column: &ExprWithAlias) -> Option<&str> {
    match &column.expr {
        Expr::Identifier(ident) => Some(&ident.value),
        Expr::CompoundIdentifier(idents) => Some(&idents.last()?.value),
        _ => None,
    }
}
