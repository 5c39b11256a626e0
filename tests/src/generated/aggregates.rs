//! GROUP BY, and what puts queries together.

use super::maker::{Maker, Order, Query, Source, keep, named};
use super::tables::{Column, Kind};

impl Maker<'_> {
    /// An aggregation by some columns, or by none.
    pub(super) fn aggregation(&mut self, depth: usize) -> Query {
        let source = self.source(depth - 1);
        let keys = self.keys(&source, 0);
        let calls = self.calls(&source.columns, usize::from(keys.is_empty()));
        let filter = self.filter(&source.columns, depth);
        let having = self.having(&calls);
        let chosen: Vec<Column> = match self.choices.percent(10) && !calls.is_empty() {
            true => calls,
            false => keys.iter().chain(&calls).cloned().collect(),
        };
        let (list, columns) = named(&chosen);
        let by = match keys.is_empty() {
            true => String::new(),
            false => format!(" GROUP BY {}", texts(&keys)),
        };
        Query {
            sql: format!("SELECT {list} FROM {}{filter}{by}{having}", source.from),
            columns,
            order: Order::default(),
        }
    }

    /// Columns, and at times what is computed of them.
    fn keys(&mut self, source: &Source, least: usize) -> Vec<Column> {
        let plain = keep(&source.columns, |c| c.kind.is_plain());
        let mut keys = self.choices.some(&plain, least, 25);
        keys.truncate(3);
        if self.choices.percent(12) {
            let kind = *self.choices.pick(&[Kind::Int, Kind::Text, Kind::Bool]);
            let computed = self.value(&plain, kind, 2);
            // A number alone would be the place of a column.
            if plain.iter().any(|c| computed.name.contains(&c.name)) {
                keys.push(computed);
            }
        }
        keys.dedup_by(|a, b| a.name == b.name);
        keys
    }

    /// GROUPING SETS, ROLLUP and CUBE.
    pub(super) fn grouping_sets(&mut self, depth: usize) -> Query {
        let source = self.source(depth - 1);
        let mut keys = self.keys(&source, 2);
        if keys.is_empty() {
            keys.push(Column::new("'all'", Kind::Text, false));
        }
        let keys: Vec<Column> = keys
            .into_iter()
            .map(|key| Column {
                nullable: true,
                ..key
            })
            .collect();
        let mut calls = self.calls(&source.columns, 0);
        if self.choices.percent(40) {
            let key = self.choices.pick(&keys).name.clone();
            calls.push(Column::new(format!("GROUPING({key})"), Kind::Big, false));
        }
        let filter = self.filter(&source.columns, depth);
        let by = match self.choices.below(3) {
            0 => format!("GROUPING SETS ({})", self.sets(&keys).join(", ")),
            1 => format!("ROLLUP ({})", texts(&keys)),
            _ => format!("CUBE ({})", texts(&keys)),
        };
        let having = self.having(&calls);
        let chosen: Vec<Column> = keys.iter().chain(&calls).cloned().collect();
        let (list, columns) = named(&chosen);
        Query {
            sql: format!(
                "SELECT {list} FROM {}{filter} GROUP BY {by}{having}",
                source.from
            ),
            columns,
            order: Order::default(),
        }
    }

    /// Sets which together have all keys.
    fn sets(&mut self, keys: &[Column]) -> Vec<String> {
        let mut sets = vec![format!("({})", texts(keys))];
        while sets.len() < 4 && self.choices.percent(60) {
            let some = self.choices.some(keys, 0, 45);
            sets.push(format!("({})", texts(&some)));
        }
        sets
    }

    /// Aggregate calls.
    pub(super) fn calls(&mut self, of: &[Column], least: usize) -> Vec<Column> {
        let mut calls = Vec::new();
        while calls.len() < 3 && (calls.len() < least || self.choices.percent(60)) {
            let start = self.choices.mark();
            let call = match self.choices.percent(20) {
                true => {
                    let filter = self.filtered(of);
                    self.rarer_call(of, &filter)
                }
                false => {
                    let call = self.call(of);
                    let filter = self.filtered(of);
                    Column {
                        name: format!("{}{filter}", call.name),
                        nullable: call.nullable || !filter.is_empty(),
                        ..call
                    }
                }
            };
            self.choices.close(start);
            calls.push(call);
        }
        calls
    }

    /// `FILTER (WHERE …)`, or nothing.
    fn filtered(&mut self, of: &[Column]) -> String {
        match self.choices.percent(20) {
            true => format!(" FILTER (WHERE {})", self.condition(of, 1)),
            false => String::new(),
        }
    }

    /// One call.
    pub(super) fn call(&mut self, of: &[Column]) -> Column {
        let count = Column::new("COUNT(*)", Kind::Big, false);
        let distinct = ["", "DISTINCT "][usize::from(self.choices.percent(20))];
        match self.choices.below(5) {
            1 => match self.column(of, |c| c.kind.is_plain()) {
                Some(c) => Column::new(format!("COUNT({distinct}{})", c.name), Kind::Big, false),
                None => count,
            },
            place @ (2 | 3) => match self.summed(of) {
                Some(c) => sum_of(place == 3, distinct, &c),
                None => count,
            },
            4 => {
                let function = *self.choices.pick(&["MIN", "MAX"]);
                // In batch mode there is neither a smallest BOOLEAN nor a smallest text of bytes.
                let ordered = |c: &Column| c.kind.is_plain();
                match self.column(of, ordered) {
                    Some(c) => Column {
                        name: format!("{function}({})", c.name),
                        nullable: true,
                        ..c
                    },
                    None => count,
                }
            }
            _ => count,
        }
    }

    /// A call of a function that OVER does not know on streams.
    fn rarer_call(&mut self, of: &[Column], filter: &str) -> Column {
        let plain = |c: &Column| c.kind.is_plain();
        let distinct = ["", "DISTINCT "][usize::from(self.choices.percent(20))];
        let flags = self.condition(of, 1);
        let (one, other) = (self.column(of, plain), self.column(of, plain));
        let (text, kind) = match (self.choices.below(6), one, self.summed(of)) {
            (0, ..) => (format!("BOOL_AND({flags}){filter}"), Kind::Bool),
            (1, ..) => (format!("BOOL_OR({flags}){filter}"), Kind::Bool),
            (2, Some(c), _) if c.kind == Kind::Int => (
                format!("ARRAY_SORT(ARRAY_AGG({distinct}{}){filter})", c.name),
                Kind::Ints,
            ),
            (2 | 3, Some(c), _) => (
                format!("APPROX_COUNT_DISTINCT({}){filter}", c.name),
                Kind::Big,
            ),
            (4, _, Some(c)) => {
                let part = *self.choices.pick(&["0.5", "0", "1"]);
                let text = format!("PERCENTILE({distinct}{}, {part}){filter}", c.name);
                (text, Kind::Double)
            }
            (5, _, Some(c)) => {
                let function = *self.choices.pick(&["VAR_POP", "STDDEV_SAMP"]);
                // Of what cannot be written down exactly the first digits.
                let call = format!("{function}({distinct}{}){filter}", c.name);
                (format!("CAST({call} AS DECIMAL(20, 6))"), Kind::Decimal)
            }
            (_, Some(one), _) => {
                let pair = other.filter(|other| other.name != one.name);
                let pair = pair.map_or(String::new(), |other| format!(", {}", other.name));
                let text = format!("COUNT(DISTINCT {}{pair}){filter}", one.name);
                (text, Kind::Big)
            }
            _ => (format!("COUNT(*){filter}"), Kind::Big),
        };
        Column {
            exact: !matches!(kind, Kind::Double | Kind::Decimal),
            ..Column::new(text, kind, true)
        }
    }

    /// Something whose sum does not depend on its order.
    fn summed(&mut self, of: &[Column]) -> Option<Column> {
        let fits = |c: &Column| c.kind.is_number() && c.exact;
        let column = self.column(of, fits)?;
        if !self.choices.percent(25) {
            return Some(column);
        }
        let value = self.value(of, column.kind, 2);
        Some(if value.exact { value } else { column })
    }

    fn having(&mut self, calls: &[Column]) -> String {
        let start = self.choices.mark();
        let plain = keep(calls, |c| !c.name.starts_with("GROUPING"));
        let text = match !plain.is_empty() && self.choices.percent(25) {
            true => format!(" HAVING {}", self.condition(&plain, 1)),
            false => String::new(),
        };
        self.choices.close(start);
        text
    }

    /// UNION, INTERSECT and EXCEPT, with ALL and without.
    pub(super) fn set_operation(&mut self, depth: usize) -> Query {
        let left = self.relation(depth);
        let columns = keep(&left.columns, |c| c.kind.is_plain());
        let chosen = self.choices.some(&columns, 1, 40);
        let chosen: Vec<Column> = chosen.into_iter().take(4).collect();
        let filter = self.filter(&left.columns, depth - 1);
        let (list, mut columns) = named(&chosen);
        let mut sql = format!("SELECT {list} FROM {}{filter}", left.from);
        let more = 1 + usize::from(self.choices.percent(20));
        for _ in 0..more {
            let start = self.choices.mark();
            let word = *self
                .choices
                .pick(&["UNION ALL", "UNION", "INTERSECT", "EXCEPT"]);
            let all =
                ["", " ALL"][usize::from(!word.starts_with("UNION") && self.choices.percent(50))];
            let right = self.like(&columns, depth - 1);
            for (column, other) in columns.iter_mut().zip(&right.columns) {
                column.nullable |= other.nullable;
                column.exact &= other.exact;
            }
            sql = format!("({sql}) {word}{all} ({})", right.sql);
            self.choices.close(start);
        }
        Query {
            sql,
            columns,
            order: Order::default(),
        }
    }

    /// A query with columns like these.
    fn like(&mut self, columns: &[Column], depth: usize) -> Query {
        let source = self.relation(depth);
        let values: Vec<Column> = columns
            .iter()
            .map(|column| self.value(&source.columns, column.kind, 1))
            .collect();
        let filter = self.filter(&source.columns, depth);
        let (list, columns) = named(&values);
        Query {
            sql: format!("SELECT {list} FROM {}{filter}", source.from),
            columns,
            order: Order::default(),
        }
    }
}

/// SUM or AVG.
fn sum_of(mean: bool, distinct: &str, of: &Column) -> Column {
    let function = if mean { "AVG" } else { "SUM" };
    let kind = match of.kind {
        Kind::Decimal => Kind::Decimal,
        Kind::Double | Kind::Float => Kind::Double,
        _ if mean => Kind::Double,
        _ => Kind::Big,
    };
    Column {
        name: format!("{function}({distinct}{})", of.name),
        kind,
        exact: !mean,
        nullable: true,
    }
}

fn texts(columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
    names.join(", ")
}
