//! Tables with columns of all types, and rows in which values come again and are often missing.

use super::choices::Choices;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Text,
    Big,
    Double,
    Decimal,
    Bool,
    Date,
    Moment,
    Small,
    Float,
    Time,
    Instant,
    Bytes,
    /// ARRAY<INT>.
    Ints,
    /// ARRAY<ROW<n INT, s STRING>>.
    Pairs,
    /// MAP<STRING, INT>.
    Prices,
}

impl Kind {
    /// Those of tables, the simplest first and the most common more often.
    const ALL: [(u32, Kind); 16] = [
        (20, Kind::Int),
        (15, Kind::Text),
        (8, Kind::Big),
        (8, Kind::Double),
        (8, Kind::Decimal),
        (6, Kind::Bool),
        (5, Kind::Date),
        (5, Kind::Moment),
        (3, Kind::Small),
        (3, Kind::Float),
        (3, Kind::Time),
        (3, Kind::Instant),
        (3, Kind::Bytes),
        (6, Kind::Ints),
        (5, Kind::Pairs),
        (4, Kind::Prices),
    ];

    /// Its name in DDL.
    pub(super) fn sql(self) -> &'static str {
        match self {
            Kind::Int => "INT",
            Kind::Text => "STRING",
            Kind::Big => "BIGINT",
            Kind::Double => "DOUBLE",
            Kind::Decimal => "DECIMAL(10, 2)",
            Kind::Bool => "BOOLEAN",
            Kind::Date => "DATE",
            Kind::Moment => "TIMESTAMP(3)",
            Kind::Small => "SMALLINT",
            Kind::Float => "FLOAT",
            Kind::Time => "TIME",
            Kind::Instant => "TIMESTAMP_LTZ(3)",
            Kind::Bytes => "BYTES",
            Kind::Ints => "ARRAY<INT>",
            Kind::Pairs => "ARRAY<ROW<n INT, s STRING>>",
            Kind::Prices => "MAP<STRING, INT>",
        }
    }

    pub(super) fn is_whole(self) -> bool {
        matches!(self, Kind::Int | Kind::Big | Kind::Small)
    }

    pub(super) fn is_number(self) -> bool {
        self.is_whole() || matches!(self, Kind::Double | Kind::Decimal | Kind::Float)
    }

    /// Whether it can be put in order and be a key.
    pub(super) fn is_plain(self) -> bool {
        !matches!(self, Kind::Ints | Kind::Pairs | Kind::Prices)
    }

    /// Whether values of both can be compared and be in one column.
    pub(super) fn meets(self, other: Kind) -> bool {
        self == other || self.is_whole() && other.is_whole()
    }

    /// A value as it stands in SQL.
    pub(super) fn literal(self, choices: &mut Choices) -> String {
        self.literal_of(choices.below(4))
    }

    /// One of four values; those of times are spread over the rows.
    pub(super) fn literal_of(self, n: usize) -> String {
        match self {
            Kind::Int | Kind::Big | Kind::Small => n.to_string(),
            Kind::Text => format!("'{}'", TEXTS[n]),
            Kind::Decimal => format!("CAST({} AS DECIMAL(10, 2))", quarters(n)),
            Kind::Double | Kind::Float => format!("CAST({} AS {})", quarters(n), self.sql()),
            Kind::Bool => n.is_multiple_of(2).to_string().to_uppercase(),
            Kind::Date => format!("DATE '{}'", date(n)),
            Kind::Moment => format!("TIMESTAMP '{}'", moment(3000 * n)),
            Kind::Instant => format!("CAST('{}' AS TIMESTAMP_LTZ(3))", moment(1000 * n)),
            Kind::Time => format!("CAST('{}' AS TIME)", time(n)),
            Kind::Bytes => format!("CAST('{}' AS BYTES)", TEXTS[n]),
            Kind::Ints => "ARRAY[1, 2]".to_string(),
            Kind::Pairs => "ARRAY[ROW(1, 'a')]".to_string(),
            Kind::Prices => "MAP['a', 1]".to_string(),
        }
    }

    /// A value as it stands in a file.
    fn json(self, choices: &mut Choices) -> String {
        let n = choices.below(4);
        match self {
            Kind::Int | Kind::Big | Kind::Small => n.to_string(),
            Kind::Text => format!("\"{}\"", TEXTS[n]),
            Kind::Double | Kind::Decimal | Kind::Float => quarters(n).to_string(),
            Kind::Bool => n.is_multiple_of(2).to_string(),
            Kind::Date => format!("\"{}\"", date(n)),
            Kind::Moment => format!("\"{}\"", moment(1000 * n)),
            Kind::Instant => format!("\"{}Z\"", moment(1000 * n)),
            Kind::Time => format!("\"{}\"", time(n)),
            // A, B, C and AB.
            Kind::Bytes => format!("\"{}\"", ["QQ==", "Qg==", "Qw==", "QUI="][n]),
            Kind::Ints => list(choices, |c| nullable(c, Kind::Int)),
            Kind::Pairs => list(choices, |c| match c.percent(10) {
                true => "null".to_string(),
                false => {
                    let (n, s) = (nullable(c, Kind::Int), nullable(c, Kind::Text));
                    format!("{{\"n\": {n}, \"s\": {s}}}")
                }
            }),
            Kind::Prices => {
                let names = choices.some(&TEXTS[..3], 0, 50);
                let priced = names
                    .iter()
                    .map(|name| format!("\"{name}\": {}", nullable(choices, Kind::Int)));
                format!("{{{}}}", priced.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

const TEXTS: [&str; 4] = ["a", "b", "ab", "C"];

/// Sums of these are exact, in whatever order.
fn quarters(n: usize) -> &'static str {
    ["0.50", "1.25", "-2.00", "3.75"][n]
}

fn date(n: usize) -> String {
    format!("2026-01-0{}", n + 1)
}

fn time(n: usize) -> String {
    format!("0{n}:30:00")
}

/// So many milliseconds into the time of all tables.
pub(super) fn moment(ms: usize) -> String {
    let (second, ms) = (ms / 1000, ms % 1000);
    let (minute, second) = (second / 60, second % 60);
    format!("2026-01-01 00:{minute:02}:{second:02}.{ms:03}")
}

fn list(choices: &mut Choices, each: impl Fn(&mut Choices) -> String) -> String {
    format!("[{}]", choices.many(3, 60, each).join(", "))
}

fn nullable(choices: &mut Choices, kind: Kind) -> String {
    match choices.percent(15) {
        true => "null".to_string(),
        false => kind.json(choices),
    }
}

/// A column: of a table, or of a query.
#[derive(Debug, Clone)]
pub(super) struct Column {
    /// As it is called where it can be read.
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Whether sums of it are the same in whatever order; those of means are not.
    pub(super) exact: bool,
    pub(super) nullable: bool,
}

impl Column {
    pub(super) fn new(name: impl Into<String>, kind: Kind, nullable: bool) -> Self {
        Column {
            name: name.into(),
            kind,
            exact: true,
            nullable,
        }
    }

    /// The same column of something that is called so.
    pub(super) fn of(&self, alias: &str) -> Self {
        Column {
            name: format!("{alias}.{}", self.name),
            ..self.clone()
        }
    }
}

/// What a table is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Rows that only come.
    Rows,
    /// Rows that only come, with a time that a watermark is behind.
    Events,
    /// Rows that change by their key.
    Changes,
    /// Rows that change by their key, each change with a time: versions.
    Versions,
    /// Rows that are asked for by key.
    Asked,
}

impl Role {
    pub(super) fn has_time(self) -> bool {
        matches!(self, Role::Events | Role::Versions)
    }

    pub(super) fn changes(self) -> bool {
        matches!(self, Role::Changes | Role::Versions)
    }
}

/// A table.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) role: Role,
    /// The first is `id`: unique, or in a table that changes the key.
    pub(super) columns: Vec<Column>,
    /// Whether no two rows have the same time.
    pub(super) unique_time: bool,
    /// The lines of its file.
    pub(super) lines: Vec<String>,
}

/// By how much rows are out of order at most; watermarks are behind by as much.
const DISORDER_MS: usize = 4000;

impl Table {
    /// A table of chance.
    pub(super) fn random(choices: &mut Choices, number: usize, role: Role) -> Self {
        let mut columns = vec![Column::new("id", Kind::Int, false)];
        let names = ["a", "b", "c", "d", "e", "f"];
        let kinds = choices.many(names.len(), 78, |c| {
            (c.weighted(&Kind::ALL), !c.percent(15))
        });
        for (name, (kind, nullable)) in names.iter().zip(kinds) {
            columns.push(Column::new(*name, kind, nullable));
        }
        // The first table with a time is always one to rely on.
        let unique_time = number < 2 || !choices.percent(25);
        let mut table = Table {
            name: format!("t{number}"),
            role,
            columns,
            unique_time,
            lines: Vec::new(),
        };
        let mut row = 0;
        table.lines = choices.many(20, 94, |c| {
            row += 1;
            table.line(c, row)
        });
        if role.has_time() {
            table.columns.push(Column::new("ts", Kind::Moment, false));
        }
        table
    }

    fn line(&self, choices: &mut Choices, row: usize) -> String {
        let key = match self.role.changes() {
            true => choices.below(5),
            false => row,
        };
        let mut fields = vec![format!("\"id\": {key}")];
        for column in &self.columns[1..] {
            let value = match column.nullable {
                true => nullable(choices, column.kind),
                false => column.kind.json(choices),
            };
            fields.push(format!("\"{}\": {value}", column.name));
        }
        if self.role.has_time() {
            let at = row * 1000 + choices.below(DISORDER_MS / 1000) * 1000;
            // In the milliseconds no two rows are equal.
            let at = if self.unique_time { at + row } else { at };
            fields.push(format!("\"ts\": \"{}\"", moment(at)));
        }
        if self.role.changes() && choices.percent(20) {
            fields.push("\"op\": \"d\"".to_string());
        }
        format!("{{{}}}", fields.join(", "))
    }

    /// The statement that declares it.
    pub(super) fn ddl(&self) -> String {
        let mut parts: Vec<String> = self
            .columns
            .iter()
            .map(|column| {
                let must = if column.nullable { "" } else { " NOT NULL" };
                format!("{} {}{must}", column.name, column.kind.sql())
            })
            .collect();
        if self.role.has_time() {
            let behind = DISORDER_MS / 1000;
            parts.push(format!(
                "WATERMARK FOR ts AS ts - INTERVAL '{behind}' SECOND"
            ));
        }
        let changes = self.role.changes();
        if changes {
            parts.push("PRIMARY KEY (id) NOT ENFORCED".to_string());
        }
        let (connector, format) = match self.role {
            _ if changes => ("changes", ""),
            Role::Asked => ("filesystem", ", 'format' = 'json', 'lookup.cache' = 'FULL'"),
            _ => ("filesystem", ", 'format' = 'json'"),
        };
        format!(
            "CREATE TABLE {name} ({})\nWITH ('connector' = '{connector}', 'path' = '{{dir}}/{name}.json'{format});\n",
            parts.join(", "),
            name = self.name,
        )
    }
}
