//! Names in MATCH_RECOGNIZE: each variable of the pattern is called like a table with the columns of the input.

use sqlparser::ast::{
    Expr, Ident, MatchRecognizePattern, MatchRecognizeSymbol, RowsPerMatch, TableFactor,
};

use super::scope::{Column, Relation, Scope};
use super::{Resolver, data_type};

/// The variables of a pattern, each once, in the order in which they come.
pub(crate) fn pattern_variables(pattern: &MatchRecognizePattern) -> Vec<&Ident> {
    let mut found: Vec<&Ident> = Vec::new();
    collect(pattern, &mut found);
    found
}

fn collect<'a>(pattern: &'a MatchRecognizePattern, found: &mut Vec<&'a Ident>) {
    use MatchRecognizePattern as P;
    let mut add = |symbol: &'a MatchRecognizeSymbol| {
        if let MatchRecognizeSymbol::Named(ident) = symbol
            && !found
                .iter()
                .any(|f| f.value.eq_ignore_ascii_case(&ident.value))
        {
            found.push(ident);
        }
    };
    match pattern {
        P::Symbol(symbol) | P::Exclude(symbol) => add(symbol),
        P::Permute(symbols) => symbols.iter().for_each(add),
        P::Concat(parts) | P::Alternation(parts) => {
            parts.iter().for_each(|part| collect(part, found));
        }
        P::Group(part) | P::Repetition(part, _) => collect(part, found),
    }
}

impl Resolver<'_> {
    /// Resolves the names in a MATCH_RECOGNIZE, and puts what it gives into `scope`.
    pub(super) fn pattern(
        &mut self,
        factor: &mut TableFactor,
        scope: &mut Scope,
        outer: &[&Scope],
    ) {
        let TableFactor::MatchRecognize {
            table,
            partition_by,
            order_by,
            measures,
            rows_per_match,
            pattern,
            symbols,
            alias,
            ..
        } = factor
        else {
            return;
        };
        let mut input = Scope::default();
        self.table_factor(table, &mut input, outer);
        self.expressions(partition_by, &[&input]);
        self.expressions(order_by, &[&input]);
        let columns: Vec<Column> = input.columns().cloned().collect();
        let mut inner = Scope::of_relation(Relation::unnamed(columns.clone()));
        for variable in pattern_variables(pattern) {
            inner.push(Relation {
                name: vec![variable.value.clone()],
                columns: columns.clone(),
            });
        }
        for measure in measures.iter_mut() {
            self.expressions(&mut measure.expr, &[&inner]);
        }
        for symbol in symbols.iter_mut() {
            self.expressions(&mut symbol.definition, &[&inner]);
        }
        let mut given = match rows_per_match {
            Some(RowsPerMatch::AllRows(_)) => columns,
            _ => partition_by
                .iter()
                .filter_map(|key| column(key, &input))
                .collect(),
        };
        let own = measures.iter().map(|measure| measure.alias.value.clone());
        given.extend(own.map(Column::untyped));
        self.enter(Relation::unnamed(given), alias.as_ref(), None, scope);
    }
}

fn column(key: &Expr, input: &Scope) -> Option<Column> {
    let name = match key {
        Expr::Identifier(ident) => ident,
        Expr::CompoundIdentifier(idents) => idents.last()?,
        _ => return None,
    };
    Some(Column {
        name: name.value.clone(),
        data_type: data_type(key, input),
    })
}
