//! Several things in FROM, and conditions with queries in them.

use super::maker::{Maker, Order, Source, alias_of, keep};
use super::tables::{Column, Kind, Role};

/// A kind of join: its words, whether rows of the left and of the right input may be without partners, and
/// whether columns of the right come out.
struct Join {
    words: &'static str,
    left_misses: bool,
    right_misses: bool,
    right_comes: bool,
}

const fn join(words: &'static str, left: bool, right: bool, comes: bool) -> Join {
    Join {
        words,
        left_misses: left,
        right_misses: right,
        right_comes: comes,
    }
}

const JOINS: [Join; 6] = [
    join("JOIN", false, false, true),
    join("LEFT JOIN", false, true, true),
    join("RIGHT JOIN", true, false, true),
    join("FULL JOIN", true, true, true),
    join("LEFT SEMI JOIN", false, false, false),
    join("LEFT ANTI JOIN", false, false, false),
];

impl Maker<'_> {
    /// Two relations or three, joined.
    pub(super) fn joined(&mut self, depth: usize) -> Source {
        let below = depth.saturating_sub(1);
        let mut source = self.relation(depth);
        if self.choices.percent(20) {
            return self.on_one_key(source, below);
        }
        let more = 1 + usize::from(self.choices.percent(25));
        for _ in 0..more {
            let start = self.choices.mark();
            let right = self.relation(below);
            source = match self.choices.below(12) {
                // A comma binds less than JOIN, so nothing follows it.
                11 => self.crossed(&source, &right, more == 1),
                place => self.put_together(&source, &right, &JOINS[place / 2]),
            };
            self.choices.close(start);
        }
        source
    }

    /// The same with two relations more or three, inner and left, on one column.
    fn on_one_key(&mut self, mut source: Source, depth: usize) -> Source {
        let key = self.column(&source.columns, |c| c.kind.is_plain());
        for _ in 0..2 + self.choices.below(2) {
            let start = self.choices.mark();
            let right = self.relation(depth);
            let join = &JOINS[usize::from(self.choices.percent(40))];
            let other = key.as_ref().and_then(|key| {
                self.column(&right.columns, |c| {
                    c.kind.is_plain() && c.kind.meets(key.kind)
                })
            });
            source = match (&key, other) {
                (Some(key), Some(other)) => {
                    let on = format!("{} = {}", key.name, other.name);
                    let from = format!("{} {} {} ON {on}", source.from, join.words, right.from);
                    combined(from, &source, &right, join)
                }
                _ => self.put_together(&source, &right, join),
            };
            self.choices.close(start);
        }
        source
    }

    /// Every row beside every row, of which few are taken.
    fn crossed(&mut self, left: &Source, right: &Source, last: bool) -> Source {
        let words: &[&str] = if last {
            &["CROSS JOIN", ","]
        } else {
            &["CROSS JOIN"]
        };
        let word = *self.choices.pick(words);
        Source {
            from: format!("{} {word} {}", left.from, right.from),
            columns: [left.columns.clone(), right.columns.clone()].concat(),
            order: Order::default(),
        }
    }

    fn put_together(&mut self, left: &Source, right: &Source, join: &Join) -> Source {
        let on = self.on(left, right);
        let from = format!("{} {} {} ON {on}", left.from, join.words, right.from);
        combined(from, left, right, join)
    }

    /// Conditions of a join: as a rule an equality.
    fn on(&mut self, left: &Source, right: &Source) -> String {
        let mut conditions = Vec::new();
        if !self.choices.percent(6) {
            conditions.extend(self.equality(&left.columns, &right.columns));
            if self.choices.percent(25) {
                conditions.extend(self.equality(&left.columns, &right.columns));
            }
        }
        let both = [left.columns.clone(), right.columns.clone()].concat();
        if conditions.is_empty() || self.choices.percent(25) {
            conditions.push(self.condition(&both, 1));
        }
        conditions.join(" AND ")
    }

    /// `left = right` of two columns that can be compared.
    fn equality(&mut self, left: &[Column], right: &[Column]) -> Option<String> {
        let plain = |c: &&Column| c.kind.is_plain();
        let mut pairs = Vec::new();
        for one in left.iter().filter(plain) {
            let others = right.iter().filter(|c| c.kind.meets(one.kind));
            pairs.extend(others.map(|other| (one, other)));
        }
        if pairs.is_empty() {
            return None;
        }
        let (one, other) = *self.choices.pick(&pairs);
        Some(match self.choices.below(10) {
            8 => format!("{} IS NOT DISTINCT FROM {}", one.name, other.name),
            9 => {
                let value = self.value(left, one.kind, 2);
                format!("{} = {}", value.name, other.name)
            }
            _ => format!("{} = {}", one.name, other.name),
        })
    }

    /// Rows of two tables whose times lie close together.
    pub(super) fn in_interval(&mut self, depth: usize) -> Source {
        let ((left, of_left), (right, of_right)) =
            (self.timed(depth, false), self.timed(depth, false));
        let (left, right) = (
            self.aliased(&left, &of_left),
            self.aliased(&right, &of_right),
        );
        let (Some(at), Some(other)) = (left.order.time, right.order.time) else {
            return left;
        };
        let (at, other) = (
            left.columns[at].name.clone(),
            right.columns[other].name.clone(),
        );
        let (back, on) = (self.choices.below(4), self.choices.below(6));
        let near = format!(
            "{at} BETWEEN {other} - INTERVAL '{back}' SECOND AND {other} + INTERVAL '{on}' SECOND"
        );
        let mut conditions = vec![near];
        if self.choices.percent(60) {
            conditions.extend(self.equality(&left.columns, &right.columns));
        }
        let join = self.choices.pick(&JOINS);
        let on = conditions.join(" AND ");
        let from = format!("{} {} {} ON {on}", left.from, join.words, right.from);
        combined(from, &left, &right, join)
    }

    /// Rows beside the version that another table had at their time.
    pub(super) fn with_version(&mut self, depth: usize) -> Source {
        let (left, of_left) = self.timed(depth, false);
        let left = self.aliased(&left, &of_left);
        let Some(at) = left.order.time.map(|time| left.columns[time].name.clone()) else {
            return left;
        };
        let key = self.column(&left.columns, |c| c.kind == Kind::Int);
        let (Some(key), true) = (key, self.choices.percent(70)) else {
            return self.after(&left, &at);
        };
        let versions = self.tables.iter().position(|t| t.role == Role::Versions);
        let right = self.table(versions.unwrap_or_default());
        let (name, alias) = (
            right.from.split(' ').next().unwrap_or_default(),
            alias_of(&right),
        );
        let join = self.choices.pick(&JOINS[..2]);
        let from = format!(
            "{} {} {name} FOR SYSTEM_TIME AS OF {at} AS {alias} ON {} = {alias}.id",
            left.from, join.words, key.name
        );
        combined(from, &left, &right, join)
    }

    /// Rows beside those that a table has for their key.
    pub(super) fn looked_up(&mut self, depth: usize) -> Source {
        let left = match self.choices.percent(50) {
            true => {
                let (left, of_left) = self.timed(depth, false);
                self.aliased(&left, &of_left)
            }
            false => self.table(0),
        };
        let asked = self.tables.iter().position(|t| t.role == Role::Asked);
        let right = self.table(asked.unwrap_or_default());
        let Some(on) = self.plain_equality(&left.columns, &right.columns) else {
            return left;
        };
        let more = match self.choices.percent(25) {
            true => format!(" AND {}", self.condition(&right.columns, 0)),
            false => String::new(),
        };
        let (name, alias) = right.from.split_once(" AS ").unwrap_or_default();
        let join = self.choices.pick(&JOINS[..2]);
        let from = format!(
            "{} {} {name} FOR SYSTEM_TIME AS OF PROCTIME() AS {alias} ON {on}{more}",
            left.from, join.words
        );
        combined(from, &left, &right, join)
    }

    /// Rows beside those of the same window.
    pub(super) fn in_windows(&mut self, depth: usize) -> Source {
        let (left, right) = (self.tumbled(depth), self.tumbled(depth));
        let bound = |name: &str| {
            let of = [&left, &right].map(alias_of);
            format!("{}.{name} = {}.{name}", of[0], of[1])
        };
        let mut conditions = vec![bound("window_start"), bound("window_end")];
        if self.choices.percent(40) {
            conditions.extend(self.equality(&left.columns, &right.columns));
        }
        let join = self.choices.pick(&JOINS);
        let on = conditions.join(" AND ");
        let from = format!("{} {} {} ON {on}", left.from, join.words, right.from);
        combined(from, &left, &right, join)
    }

    /// ASOF JOIN with a table whose times are all different.
    fn after(&mut self, left: &Source, at: &str) -> Source {
        let (right, of_right) = self.timed(0, true);
        let right = self.aliased(&right, &of_right);
        let time = right.order.time.unwrap_or_default();
        let sign = *self.choices.pick(&[">=", ">"]);
        let on = match self.choices.percent(70) {
            true => self.plain_equality(&left.columns, &right.columns),
            false => None,
        };
        let on = on.map_or_else(String::new, |on| format!(" ON {on}"));
        let from = format!(
            "{} ASOF JOIN {} MATCH_CONDITION ({at} {sign} {}){on}",
            left.from, right.from, right.columns[time].name
        );
        combined(from, left, &right, &JOINS[1])
    }

    /// `left = right` of two columns of one kind.
    fn plain_equality(&mut self, left: &[Column], right: &[Column]) -> Option<String> {
        let kind = self.column(left, |c| c.kind.is_plain())?.kind;
        let one = self.column(left, |c| c.kind == kind)?;
        let other = self.column(right, |c| c.kind == kind)?;
        Some(format!("{} = {}", one.name, other.name))
    }

    /// A relation with the elements of one of its columns.
    pub(super) fn unnested(&mut self, depth: usize) -> Source {
        let nested = |c: &Column| !c.kind.is_plain();
        let mut source = self.relation(depth);
        let constant = Column::new("ARRAY[1, 2]", Kind::Ints, false);
        let of = self.column(&source.columns, nested).unwrap_or(constant);
        let alias = self.alias('u');
        let mut columns = match of.kind {
            Kind::Pairs => vec![
                Column::new("n", Kind::Int, true),
                Column::new("s", Kind::Text, true),
            ],
            Kind::Prices => vec![
                Column::new("k", Kind::Text, true),
                Column::new("n", Kind::Int, true),
            ],
            _ => vec![Column::new("n", Kind::Int, true)],
        };
        let numbered = self.choices.percent(30);
        if numbered {
            columns.push(Column::new("o", Kind::Int, true));
        }
        let (word, on) = match self.choices.percent(40) {
            true => ("LEFT JOIN", " ON TRUE"),
            false => ("CROSS JOIN", ""),
        };
        let numbers = if numbered { " WITH ORDINALITY" } else { "" };
        let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        source.from = format!(
            "{} {word} UNNEST({}){numbers} AS {alias} ({}){on}",
            source.from,
            of.name,
            names.join(", ")
        );
        let elements = columns.iter().map(|column| column.of(&alias));
        source.columns.extend(elements);
        // Several rows have the time of one.
        source.order.unique = false;
        source
    }

    /// A condition with a query in it, that stands alone.
    pub(super) fn subquery_condition(&mut self, of: &[Column], depth: usize) -> String {
        let inner = self.relation(depth);
        let own = self.filter(&inner.columns, 0);
        let connected = match self.choices.percent(50) {
            true => self.equality(of, &inner.columns),
            false => None,
        };
        let pair = |maker: &mut Self| {
            let one = maker.column(of, |c| c.kind.is_plain())?;
            let other = maker.column(&inner.columns, |c| c.kind.meets(one.kind))?;
            Some((one.name, other.name))
        };
        let along = |connected: Option<String>| match (connected, own.is_empty()) {
            (None, _) => own.clone(),
            (Some(connected), true) => format!(" WHERE {connected}"),
            (Some(connected), false) => format!("{own} AND {connected}"),
        };
        let from = &inner.from;
        match (self.choices.below(5), pair(self)) {
            (0, Some((one, other))) => {
                format!("{one} IN (SELECT {other} FROM {from}{})", along(connected))
            }
            (1, Some((one, other))) => format!("{one} NOT IN (SELECT {other} FROM {from}{own})"),
            (2, Some((one, other))) => {
                let function = *self.choices.pick(&["MAX", "MIN", "COUNT"]);
                let sign = *self.choices.pick(&["<", "=", ">"]);
                let one = match function {
                    "COUNT" => self.choices.below(3).to_string(),
                    _ => one,
                };
                let rest = along(connected);
                format!("{one} {sign} (SELECT {function}({other}) FROM {from}{rest})")
            }
            (place, _) => {
                let not = ["", "NOT "][place % 2];
                format!("{not}EXISTS (SELECT 1 FROM {from}{})", along(connected))
            }
        }
    }
}

/// What comes out of a join.
fn combined(from: String, left: &Source, right: &Source, join: &Join) -> Source {
    let may_miss = |columns: &[Column], misses: bool| {
        let columns = columns.iter().map(move |column| Column {
            nullable: column.nullable || misses,
            ..column.clone()
        });
        columns.collect::<Vec<_>>()
    };
    let mut columns = may_miss(&left.columns, join.left_misses);
    if join.right_comes {
        columns.extend(may_miss(&right.columns, join.right_misses));
    }
    Source {
        from,
        columns: keep(&columns, |_| true),
        order: Order::default(),
    }
}
