//! Windows of event time, and functions with OVER.

use super::maker::{Maker, Order, Query, Source, keep, named};
use super::tables::{Column, Kind};

impl Maker<'_> {
    /// Top-N and deduplication.
    pub(super) fn ranked(&mut self, depth: usize) -> Query {
        let source = self.plain(depth - 1);
        let by = self.partition(&source.columns);
        let function = *self
            .choices
            .pick(&["ROW_NUMBER", "RANK", "DENSE_RANK", "ROW_NUMBER"]);
        let order = match function {
            "ROW_NUMBER" => self.total_order(&source),
            _ => self.some_order(&source.columns),
        };
        let call = format!("{function}() OVER ({by}ORDER BY {order})");
        let n = 1 + self.choices.below(4);
        let passes = match self.choices.below(4) {
            0 => format!("<= {n}"),
            1 => format!("< {}", n + 1),
            2 => format!("= {n}"),
            _ => format!("BETWEEN {} AND {n}", (1 + self.choices.below(2)).min(n)),
        };
        let chosen = self.choices.some(&source.columns, 1, 50);
        let (mut list, mut columns) = named(&chosen);
        let from = &source.from;
        let sql = if self.choices.percent(20) {
            format!("SELECT {list} FROM {from} QUALIFY {call} {passes}")
        } else {
            let inner = self.alias('r');
            let numbered = self.choices.percent(40);
            let names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
            let inside = format!("SELECT {list}, {call} AS rn FROM {from}");
            list = names.join(", ");
            if numbered {
                list.push_str(", rn");
                columns.push(Column::new("rn", Kind::Big, false));
            }
            format!("SELECT {list} FROM ({inside}) AS {inner} WHERE rn {passes}")
        };
        Query {
            sql,
            columns,
            order: Order::default(),
        }
    }

    /// The first rows of all.
    pub(super) fn limited(&mut self, depth: usize) -> Query {
        let source = self.plain(depth - 1);
        let (list, columns) = named(&source.columns);
        let order = self.total_order(&source);
        let limit = 1 + self.choices.below(6);
        let offset = match self.choices.percent(25) {
            true => format!(" OFFSET {}", self.choices.below(3)),
            false => String::new(),
        };
        Query {
            sql: format!(
                "SELECT {list} FROM {} ORDER BY {order} LIMIT {limit}{offset}",
                source.from
            ),
            columns,
            order: Order::default(),
        }
    }

    /// Functions over the rows around.
    pub(super) fn with_over(&mut self, depth: usize) -> Query {
        let source = match self.choices.percent(35) {
            true => {
                let (name, query) = self.timed(depth - 1, true);
                let timed = self.aliased(&name, &query);
                self.without_nested(timed)
            }
            false => self.plain(depth - 1),
        };
        let chosen = self.choices.some(&source.columns, 1, 50);
        let (mut list, mut columns) = named(&chosen);
        let time = source.order.time.map(|t| source.columns[t].name.clone());
        let looks_back = time.is_some() && source.order.unique && self.choices.percent(60);
        let calls = 1 + usize::from(self.choices.percent(40));
        // Of equal rows each call takes the same for the first.
        let window = self.window(&source, looks_back);
        for number in 0..calls {
            let start = self.choices.mark();
            let mut call = self.over(&source, &window, looks_back);
            list.push_str(&format!(", {} AS o{number}", call.name));
            call.name = format!("o{number}");
            columns.push(call);
            self.choices.close(start);
        }
        let filter = self.filter(&source.columns, depth - 1);
        let at = chosen.iter().position(|c| Some(&c.name) == time.as_ref());
        let order = match looks_back {
            true => Order {
                time: at,
                unique: source.order.unique,
            },
            false => Order::default(),
        };
        Query {
            sql: format!("SELECT {list} FROM {}{filter}", source.from),
            columns,
            order,
        }
    }

    fn without_nested(&mut self, source: Source) -> Source {
        let time = source.order.time.map(|t| source.columns[t].name.clone());
        let columns = keep(&source.columns, |c| c.kind.is_plain());
        let place = columns.iter().position(|c| Some(&c.name) == time.as_ref());
        Source {
            columns,
            order: Order {
                time: place,
                ..source.order
            },
            ..source
        }
    }

    /// Partitions and their order. What looks back along the time goes out once, in order.
    fn window(&mut self, source: &Source, looks_back: bool) -> String {
        let by = self.partition(&source.columns);
        let time = source.order.time.map(|t| source.columns[t].name.clone());
        let order = match (looks_back, time) {
            (true, Some(time)) => time,
            _ => self.total_order(source),
        };
        format!("{by}ORDER BY {order}")
    }

    /// One call with OVER.
    fn over(&mut self, source: &Source, window: &str, looks_back: bool) -> Column {
        let (mut call, framed) = self.function(&source.columns, looks_back);
        let frame = match framed && self.choices.percent(60) {
            true => self.frame(looks_back),
            false => String::new(),
        };
        call.name = format!("{} OVER ({window}{frame})", call.name);
        call
    }

    /// A function, and whether it has a frame.
    fn function(&mut self, of: &[Column], looks_back: bool) -> (Column, bool) {
        let whole = |text: &str| (Column::new(text, Kind::Big, false), false);
        let value = self.column(of, |c| c.kind.is_plain());
        let Some(value) = value else {
            return whole("ROW_NUMBER()");
        };
        let of_value = |text: String| Column {
            name: text,
            nullable: true,
            ..value.clone()
        };
        let name = &value.name;
        match self.choices.below(if looks_back { 9 } else { 13 }) {
            4 => whole("ROW_NUMBER()"),
            5 => (of_value(format!("LAG({name})")), false),
            6 => whole(["RANK()", "DENSE_RANK()"][self.choices.below(2)]),
            7 => {
                let function = ["FIRST_VALUE", "LAST_VALUE"][self.choices.below(2)];
                (of_value(format!("{function}({name})")), true)
            }
            8 => (of_value(format!("NTH_VALUE({name}, 2)")), true),
            9 => (of_value(format!("LEAD({name})")), false),
            10 => whole("NTILE(2)"),
            11 => (of_value(format!("LEAD({name}, 2)")), false),
            12 => {
                let text = ["PERCENT_RANK()", "CUME_DIST()"][self.choices.below(2)];
                let mut column = Column::new(text, Kind::Double, false);
                column.exact = false;
                (column, false)
            }
            _ => (self.call(of), true),
        }
    }

    fn frame(&mut self, looks_back: bool) -> String {
        let n = self.choices.below(3);
        let from = *self
            .choices
            .pick(&["UNBOUNDED PRECEDING", "PRECEDING", "CURRENT ROW"]);
        let from = match from {
            "PRECEDING" => format!("{n} PRECEDING"),
            other => other.to_string(),
        };
        let to = match looks_back {
            true => 0,
            false => self.choices.below(3),
        };
        let to = match to {
            0 => "CURRENT ROW".to_string(),
            1 => format!("{} FOLLOWING", self.choices.below(3)),
            _ => "UNBOUNDED FOLLOWING".to_string(),
        };
        format!(" ROWS BETWEEN {from} AND {to}")
    }

    /// `PARTITION BY …`, or nothing.
    fn partition(&mut self, of: &[Column]) -> String {
        let mut keys = self.choices.some(of, 0, 25);
        keys.truncate(2);
        let names: Vec<String> = keys.into_iter().map(|c| c.name).collect();
        match names.is_empty() {
            true => String::new(),
            false => format!("PARTITION BY {} ", names.join(", ")),
        }
    }

    /// An order in which only rows are equal that are equal in all.
    fn total_order(&mut self, source: &Source) -> String {
        if let (Some(time), true) = (source.order.time, source.order.unique)
            && self.choices.percent(50)
        {
            let word = ["", " DESC"][self.choices.below(2)];
            return format!("{}{word}", source.columns[time].name);
        }
        let first = self.choices.below(source.columns.len());
        let mut columns = source.columns.clone();
        columns.rotate_left(first);
        self.in_order(&columns)
    }

    fn some_order(&mut self, of: &[Column]) -> String {
        let mut columns = self.choices.some(of, 1, 30);
        columns.truncate(2);
        self.in_order(&columns)
    }

    fn in_order(&mut self, columns: &[Column]) -> String {
        let parts = columns.iter().map(|column| {
            let word = *self
                .choices
                .pick(&["", " DESC", " NULLS FIRST", " DESC NULLS LAST"]);
            format!("{}{word}", column.name)
        });
        parts.collect::<Vec<_>>().join(", ")
    }

    /// A window table function over something with event time; whether it has sessions, by which columns.
    fn window_table(&mut self, depth: usize) -> (Source, Vec<Column>) {
        let kind = self.choices.below(4);
        self.window_table_of(depth, kind)
    }

    /// Windows that do not overlap, of one length.
    pub(super) fn tumbled(&mut self, depth: usize) -> Source {
        self.window_table_of(depth, 0).0
    }

    fn window_table_of(&mut self, depth: usize, kind: usize) -> (Source, Vec<Column>) {
        let (name, query) = self.timed(depth, false);
        let time = query.order.time.unwrap_or_default();
        let at = query.columns[time].name.clone();
        let plain = keep(&query.columns, |c| c.kind.is_plain());
        let mut by = Vec::new();
        let (function, sizes) = match kind {
            0 => ("TUMBLE", "INTERVAL '5' SECOND"),
            1 => ("HOP", "INTERVAL '2' SECOND, INTERVAL '6' SECOND"),
            2 => ("CUMULATE", "INTERVAL '3' SECOND, INTERVAL '9' SECOND"),
            _ => {
                by = self.choices.some(&plain, 0, 25);
                by.truncate(2);
                ("SESSION", "INTERVAL '2' SECOND")
            }
        };
        let names: Vec<&str> = by.iter().map(|c| c.name.as_str()).collect();
        let partition = match names.is_empty() {
            true => String::new(),
            false => format!(" PARTITION BY {}", names.join(", ")),
        };
        let alias = self.alias('x');
        let mut columns: Vec<Column> = query.columns.clone();
        columns.push(Column::new("window_start", Kind::Moment, false));
        columns.push(Column::new("window_end", Kind::Moment, false));
        let source = Source {
            from: format!(
                "TABLE({function}(TABLE {name}{partition}, DESCRIPTOR({at}), {sizes})) AS {alias}"
            ),
            columns: columns.iter().map(|c| c.of(&alias)).collect(),
            order: Order::default(),
        };
        let by = by.iter().map(|c| c.of(&alias)).collect();
        (source, by)
    }

    /// The rows of windows.
    pub(super) fn window_rows(&mut self, depth: usize) -> Source {
        self.window_table(depth).0
    }

    /// An aggregation by windows.
    pub(super) fn windowed(&mut self, depth: usize) -> Query {
        let (source, mut keys) = self.window_table(depth - 1);
        let width = source.columns.len();
        let (own, bounds) = source.columns.split_at(width - 2);
        let sessions = source.from.starts_with("TABLE(SESSION");
        if !sessions {
            keys = self.choices.some(&keep(own, |c| c.kind.is_plain()), 0, 25);
            keys.truncate(2);
        }
        let calls = self.calls(own, 0);
        let filter = self.filter(own, if sessions { 0 } else { depth - 1 });
        let chosen = [bounds.to_vec(), keys.clone(), calls].concat();
        let names = |columns: &[Column]| {
            let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
            names.join(", ")
        };
        let all = [bounds.to_vec(), keys.clone()].concat();
        let by = match !sessions && self.choices.percent(20) {
            true => format!("GROUPING SETS (({}), ({}))", names(&all), names(bounds)),
            false => names(&all),
        };
        let (list, mut columns) = named(&chosen);
        columns.iter_mut().skip(2).for_each(|c| c.nullable = true);
        Query {
            sql: format!("SELECT {list} FROM {}{filter} GROUP BY {by}", source.from),
            columns,
            order: Order::default(),
        }
    }
}
