//! MATCH_RECOGNIZE.

use super::maker::{Maker, Order, Source, keep};
use super::tables::{Column, Kind};

/// What is looked for, of the variables A, B and C.
const PATTERNS: [&str; 10] = [
    "A B",
    "A+ B",
    "A B* C",
    "A B+? C",
    "A (B | C)",
    "A{2}",
    "A? B+",
    "A (B C)+",
    "A{1,2} B",
    "PERMUTE(A, B)",
];

impl Maker<'_> {
    /// Sequences of rows, in the order of a time that no two rows share.
    pub(super) fn matched(&mut self, depth: usize) -> Source {
        let (name, query) = self.timed(depth, true);
        let of = keep(&query.columns, |c| c.kind.is_plain());
        let time = query.order.time.unwrap_or_default();
        let time = query.columns[time].name.clone();
        let mut by = self.choices.some(&of, 0, 15);
        by.retain(|c| c.name != time);
        by.truncate(1);
        let pattern = *self.choices.pick(&PATTERNS);
        let defined = self.definitions(&of, pattern);
        let (measures, values) = self.measures(&of, pattern);
        let rows = self.choices.percent(25);
        let skip = ["", " AFTER MATCH SKIP TO NEXT ROW"][usize::from(self.choices.percent(35))];
        let within = ["", " WITHIN INTERVAL '4' SECOND"][usize::from(self.choices.percent(40))];
        let alias = self.alias('m');
        let own = if rows { query.columns } else { by.clone() };
        let columns: Vec<Column> = own.iter().chain(&values).map(|c| c.of(&alias)).collect();
        let by = by.iter().map(|c| format!("PARTITION BY {} ", c.name));
        let each = if rows { " ALL ROWS PER MATCH" } else { "" };
        Source {
            from: format!(
                "{name} MATCH_RECOGNIZE ({}ORDER BY {time} MEASURES {measures}{each}{skip} PATTERN ({pattern}){within}\
                 {defined}) AS {alias}",
                by.collect::<String>()
            ),
            columns,
            order: Order::default(),
        }
    }

    /// What rows of some variables must fulfil.
    fn definitions(&mut self, of: &[Column], pattern: &str) -> String {
        let mut all = Vec::new();
        for variable in variables(pattern) {
            if !self.choices.percent(70) {
                continue;
            }
            let number = self.column(of, |c| c.kind.is_number());
            let condition = match (self.choices.below(4), number) {
                (1, Some(c)) => format!("{0} >= PREV({0})", c.name),
                (2, Some(c)) => format!("COALESCE({0} <> PREV({0}), TRUE)", c.name),
                (3, Some(c)) => format!("COALESCE({0} <= NEXT({0}), FALSE)", c.name),
                _ => self.condition(of, 1),
            };
            all.push(format!("{variable} AS {condition}"));
        }
        match all.is_empty() {
            true => String::new(),
            false => format!(" DEFINE {}", all.join(", ")),
        }
    }

    /// What is said of a match.
    fn measures(&mut self, of: &[Column], pattern: &str) -> (String, Vec<Column>) {
        let variables = variables(pattern);
        let count = 1 + self.choices.below(3);
        let mut values = Vec::new();
        let mut texts = Vec::new();
        for number in 0..count {
            let start = self.choices.mark();
            let variable = *self.choices.pick(&variables);
            let value = self.column(of, |_| true);
            let summed = self.column(of, |c| c.kind == Kind::Int);
            let mut measure = match (self.choices.below(7), value, summed) {
                (1, Some(c), _) => named(format!("LAST({variable}.{})", c.name), c.kind),
                (2, Some(c), _) => named(format!("FIRST({})", c.name), c.kind),
                (3, _, Some(c)) => named(format!("SUM({variable}.{})", c.name), Kind::Big),
                (4, Some(c), _) => named(format!("COUNT({variable}.{})", c.name), Kind::Big),
                (6, Some(c), _) => named(format!("NEXT({variable}.{}, 2)", c.name), c.kind),
                (5, ..) => named("CLASSIFIER()".to_string(), Kind::Text),
                _ => named("MATCH_NUMBER()".to_string(), Kind::Big),
            };
            texts.push(format!("{} AS m{number}", measure.name));
            measure.name = format!("m{number}");
            values.push(measure);
            self.choices.close(start);
        }
        (texts.join(", "), values)
    }
}

fn named(text: String, kind: Kind) -> Column {
    Column::new(text, kind, true)
}

fn variables(pattern: &str) -> Vec<&'static str> {
    let all = ["A", "B", "C"];
    all.into_iter()
        .filter(|v| pattern.replace("PERMUTE", "").contains(v))
        .collect()
}
