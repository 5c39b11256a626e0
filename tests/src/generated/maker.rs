//! Queries: what is read, what is computed of it, and what is known of the rows.

use super::choices::Choices;
use super::tables::{Column, Kind, Role, Table};

/// A query, and what is known of its rows.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) sql: String,
    /// By the names that the query gives them.
    pub(super) columns: Vec<Column>,
    pub(super) order: Order,
}

/// What stands in FROM.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) from: String,
    /// By names with what they are of.
    pub(super) columns: Vec<Column>,
    pub(super) order: Order,
}

/// What is known of how rows come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Order {
    /// The column that a watermark is about, of rows that only come.
    pub(super) time: Option<usize>,
    /// Whether no two rows have the same time.
    pub(super) unique: bool,
}

/// Makes queries over tables.
pub(super) struct Maker<'c> {
    pub(super) choices: &'c mut Choices,
    pub(super) tables: Vec<Table>,
    /// Statements that create views and functions.
    pub(super) views: Vec<String>,
    /// Functions of one's own, by what they return.
    pub(super) functions: Vec<Column>,
    /// The queries of WITH, by name.
    pub(super) with: Vec<(String, Query)>,
    aliases: usize,
}

/// The tables of each case.
const ROLES: [Role; 6] = [
    Role::Rows,
    Role::Events,
    Role::Changes,
    Role::Events,
    Role::Versions,
    Role::Asked,
];

impl<'c> Maker<'c> {
    pub(super) fn new(choices: &'c mut Choices) -> Self {
        let tables = ROLES.iter().enumerate();
        let tables = tables.map(|(number, role)| Table::random(choices, number, *role));
        let tables = tables.collect();
        Maker {
            tables,
            choices,
            views: Vec::new(),
            functions: Vec::new(),
            with: Vec::new(),
            aliases: 0,
        }
    }

    /// A name that nothing else has.
    pub(super) fn alias(&mut self, letter: char) -> String {
        self.aliases += 1;
        format!("{letter}{}", self.aliases)
    }

    /// A query with so many queries within queries at most.
    pub(super) fn query(&mut self, depth: usize) -> Query {
        let start = self.choices.mark();
        let forms: [(u32, fn(&mut Self, usize) -> Query); 9] = [
            (20, Self::rows),
            (18, Self::aggregation),
            (8, Self::grouping_sets),
            (9, Self::set_operation),
            (9, Self::ranked),
            (5, Self::limited),
            (10, Self::with_over),
            (13, Self::windowed),
            (4, Self::distinct),
        ];
        let form = match depth {
            0 => Self::rows,
            _ => self.choices.weighted(&forms),
        };
        let query = form(self, depth);
        self.choices.close(start);
        query
    }

    /// The statement.
    pub(super) fn statement(&mut self) -> Query {
        let depth = *self.choices.pick(&[2, 1, 2, 3]);
        let query = self.query(depth);
        let with = self
            .with
            .iter()
            .map(|(name, query)| format!("{name} AS ({})", query.sql));
        let with: Vec<String> = with.collect();
        Query {
            sql: match with.is_empty() {
                true => query.sql,
                false => format!("WITH {}\n{}", with.join(",\n  "), query.sql),
            },
            ..query
        }
    }

    /// Some values of some rows.
    fn rows(&mut self, depth: usize) -> Query {
        let source = self.source(depth);
        let (list, columns, order) = self.selected(&source);
        let filter = self.filter(&source.columns, depth);
        Query {
            sql: format!("SELECT {list} FROM {}{filter}", source.from),
            columns,
            order,
        }
    }

    fn distinct(&mut self, depth: usize) -> Query {
        let source = self.source(depth - 1);
        let plain: Vec<Column> = keep(&source.columns, |c| c.kind.is_plain());
        let chosen = self.choices.some(&plain, 1, 40);
        let (list, columns) = named(&chosen);
        let filter = self.filter(&source.columns, depth);
        Query {
            sql: format!("SELECT DISTINCT {list} FROM {}{filter}", source.from),
            columns,
            order: Order::default(),
        }
    }

    /// A list for SELECT, the columns that it makes, and what is left of the order.
    pub(super) fn selected(&mut self, source: &Source) -> (String, Vec<Column>, Order) {
        let mut chosen = self.choices.some(&source.columns, 1, 45);
        for value in self.choices_values(&source.columns) {
            chosen.push(value);
        }
        let mut order = Order::default();
        if let Some(time) = source.order.time {
            let name = &source.columns[time].name;
            if !chosen.iter().any(|c| c.name == *name) && self.choices.percent(60) {
                chosen.push(source.columns[time].clone());
            }
            order.time = chosen.iter().position(|c| c.name == *name);
            order.unique = source.order.unique;
        }
        let (list, columns) = named(&chosen);
        (list, columns, order)
    }

    fn choices_values(&mut self, columns: &[Column]) -> Vec<Column> {
        let mut values = Vec::new();
        while values.len() < 2 && self.choices.percent(35) {
            values.push(self.any_value(columns));
        }
        values
    }

    /// WHERE, or nothing.
    pub(super) fn filter(&mut self, columns: &[Column], depth: usize) -> String {
        let start = self.choices.mark();
        let mut conditions = Vec::new();
        if self.choices.percent(25) {
            conditions.push(self.condition(columns, 2));
        }
        if depth > 0 && self.choices.percent(20) {
            conditions.push(self.subquery_condition(columns, depth - 1));
        }
        self.choices.close(start);
        match conditions.is_empty() {
            true => String::new(),
            false => format!(" WHERE {}", conditions.join(" AND ")),
        }
    }

    /// What stands in FROM: a table, a query, or several of them.
    pub(super) fn source(&mut self, depth: usize) -> Source {
        let start = self.choices.mark();
        let forms: [(u32, fn(&mut Self, usize) -> Source); 9] = [
            (42, Self::relation),
            (25, Self::joined),
            (8, Self::unnested),
            (5, Self::in_interval),
            (5, Self::with_version),
            (5, Self::window_rows),
            (3, Self::in_windows),
            (3, Self::looked_up),
            (4, Self::matched),
        ];
        let form = self.choices.weighted(&forms);
        let source = form(self, depth);
        self.choices.close(start);
        source
    }

    /// A table, a view or a query, under a name.
    pub(super) fn relation(&mut self, depth: usize) -> Source {
        if depth == 0 || !self.choices.percent(60) {
            let number = self.choices.below(self.tables.len());
            return self.table(number);
        }
        if !self.with.is_empty() && self.choices.percent(30) {
            let number = self.choices.below(self.with.len());
            let (name, query) = self.with[number].clone();
            return self.aliased(&name, &query);
        }
        let query = self.query(depth - 1);
        match self.choices.below(4) {
            2 => {
                let view = self.view(&query);
                self.aliased(&view, &query)
            }
            3 => {
                let name = self.alias('w');
                self.with.push((name.clone(), query.clone()));
                self.aliased(&name, &query)
            }
            _ => self.aliased(&format!("({})", query.sql), &query),
        }
    }

    /// A view of a query. A view knows nothing of WITH, so what it reads of that is written out.
    pub(super) fn view(&mut self, query: &Query) -> String {
        let name = self.alias('v');
        let reads = |with: &&(String, Query)| query.sql.contains(&format!("{} ", with.0));
        let with: Vec<String> = match self.with.iter().any(|w| reads(&w)) {
            // Those in front may be read by those behind.
            true => self
                .with
                .iter()
                .map(|(name, query)| format!("{name} AS ({})", query.sql))
                .collect(),
            false => Vec::new(),
        };
        let with = match with.is_empty() {
            true => String::new(),
            false => format!("WITH {} ", with.join(", ")),
        };
        let sql = format!("CREATE VIEW {name} AS {with}{};\n", query.sql);
        self.views.push(sql);
        name
    }

    pub(super) fn aliased(&mut self, what: &str, query: &Query) -> Source {
        let alias = self.alias('x');
        Source {
            from: format!("{what} AS {alias}"),
            columns: query.columns.iter().map(|c| c.of(&alias)).collect(),
            order: query.order,
        }
    }

    pub(super) fn table(&mut self, number: usize) -> Source {
        let table = self.tables[number].clone();
        let query = Query {
            sql: String::new(),
            order: Order {
                time: (table.role == Role::Events).then(|| table.columns.len() - 1),
                unique: table.unique_time,
            },
            columns: table.columns,
        };
        self.aliased(&table.name, &query)
    }

    /// The name of a table or view with event time, and its columns.
    pub(super) fn timed(&mut self, depth: usize, unique: bool) -> (String, Query) {
        let fits = |t: &Table| t.role == Role::Events && (t.unique_time || !unique);
        let all = 0..self.tables.len();
        let events: Vec<usize> = all.filter(|n| fits(&self.tables[*n])).collect();
        let number = *self.choices.pick(&events);
        let source = self.table(number);
        if depth == 0 || !self.choices.percent(30) {
            let table = &self.tables[number];
            let query = Query {
                sql: String::new(),
                columns: table.columns.clone(),
                order: source.order,
            };
            return (table.name.clone(), query);
        }
        let (list, columns) = named(&source.columns);
        let filter = self.filter(&source.columns, 0);
        let query = Query {
            sql: format!("SELECT {list} FROM {}{filter}", source.from),
            columns,
            order: source.order,
        };
        (self.view(&query), query)
    }

    /// A query whose columns can all be put in order.
    pub(super) fn plain(&mut self, depth: usize) -> Source {
        let source = self.relation(depth);
        let columns = keep(&source.columns, |c| c.kind.is_plain());
        if columns.len() == source.columns.len() {
            return source;
        }
        let (list, columns) = named(&columns);
        let time = source.order.time.map(|time| &source.columns[time].name);
        let place = time.and_then(|name| {
            let plain = source.columns.iter().filter(|c| c.kind.is_plain());
            plain.map(|c| &c.name).position(|c| c == name)
        });
        let query = Query {
            sql: format!("SELECT {list} FROM {}", source.from),
            columns,
            order: Order {
                time: place,
                unique: source.order.unique,
            },
        };
        self.aliased(&format!("({})", query.sql), &query)
    }
}

/// What a source with one thing in it is called.
pub(super) fn alias_of(source: &Source) -> &str {
    let name = source.columns.first().map_or("", |c| c.name.as_str());
    name.split('.').next().unwrap_or_default()
}

/// Columns as a list for SELECT, and as what they are called then; without any, a constant.
pub(super) fn named(columns: &[Column]) -> (String, Vec<Column>) {
    if columns.is_empty() {
        return named(&[Column::new("1", Kind::Int, false)]);
    }
    let named = columns.iter().enumerate().map(|(place, column)| Column {
        name: format!("c{place}"),
        ..column.clone()
    });
    let list = columns.iter().enumerate();
    let list = list.map(|(place, column)| format!("{} AS c{place}", column.name));
    (list.collect::<Vec<_>>().join(", "), named.collect())
}

pub(super) fn keep(columns: &[Column], passes: impl Fn(&Column) -> bool) -> Vec<Column> {
    columns.iter().filter(|c| passes(c)).cloned().collect()
}
