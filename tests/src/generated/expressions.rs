//! Values and conditions over the columns that are there.

use super::maker::Maker;
use super::tables::{Column, Kind};

const COMPARISONS: [&str; 7] = ["=", "<=", ">=", "<>", "<>", "<", ">"];

/// The kinds that values are made of, if there is no other wish.
const PLAIN: [(u32, Kind); 6] = [
    (6, Kind::Int),
    (4, Kind::Text),
    (2, Kind::Big),
    (2, Kind::Double),
    (2, Kind::Decimal),
    (1, Kind::Moment),
];

impl Maker<'_> {
    /// A column that passes, if there is one.
    pub(super) fn column(
        &mut self,
        of: &[Column],
        passes: impl Fn(&Column) -> bool,
    ) -> Option<Column> {
        let passing: Vec<&Column> = of.iter().filter(|c| passes(c)).collect();
        match passing.is_empty() {
            true => None,
            false => Some((*self.choices.pick(&passing)).clone()),
        }
    }

    /// A column, or something computed, of a kind of chance.
    pub(super) fn any_value(&mut self, of: &[Column]) -> Column {
        match self.column(of, |_| true) {
            Some(column) if !self.choices.percent(35) => column,
            _ => {
                let kind = self.choices.weighted(&PLAIN);
                self.value(of, kind, 2)
            }
        }
    }

    /// A value of a kind; the name is its text.
    pub(super) fn value(&mut self, of: &[Column], kind: Kind, depth: usize) -> Column {
        let start = self.choices.mark();
        let column = self.column(of, |c| c.kind.meets(kind));
        let compute = depth > 0 && self.choices.percent(40);
        let value = match (compute, column) {
            (true, _) => self.computed(of, kind, depth - 1),
            (false, Some(column)) => column,
            (false, None) => self.constant(kind),
        };
        self.choices.close(start);
        value
    }

    pub(super) fn constant(&mut self, kind: Kind) -> Column {
        let null = self.choices.percent(6);
        let name = match null {
            true => format!("CAST(NULL AS {})", kind.sql()),
            false => kind.literal(self.choices),
        };
        Column::new(name, kind, null)
    }

    fn computed(&mut self, of: &[Column], kind: Kind, depth: usize) -> Column {
        match self.choices.below(5) {
            0 => self.chosen(of, kind, depth),
            4 => self.by_own_function(of, kind, depth),
            1 => {
                let (a, b) = (self.value(of, kind, depth), self.value(of, kind, depth));
                let function = *self.choices.pick(&["COALESCE", "NULLIF"]);
                both(&format!("{function}({}, {})", a.name, b.name), &a, &b)
            }
            _ => self.of_its_kind(of, kind, depth),
        }
    }

    fn chosen(&mut self, of: &[Column], kind: Kind, depth: usize) -> Column {
        let condition = self.condition(of, depth);
        let (a, b) = (self.value(of, kind, depth), self.value(of, kind, depth));
        let otherwise = match self.choices.percent(70) {
            true => format!(" ELSE {}", b.name),
            false => String::new(),
        };
        let text = format!("CASE WHEN {condition} THEN {}{otherwise} END", a.name);
        both(&text, &a, &b)
    }

    /// A call of a function of one's own, which is made for it or was made before.
    fn by_own_function(&mut self, of: &[Column], kind: Kind, depth: usize) -> Column {
        if self.functions.iter().all(|f| f.kind != kind) {
            self.function_of(kind);
        }
        let function = self.functions.iter().find(|f| f.kind == kind).cloned();
        let Some(function) = function else {
            return self.constant(kind);
        };
        let own = self.value(of, kind, depth);
        let number = self.value(of, Kind::Int, 0);
        let mut value = both(
            &format!("{}({}, {})", function.name, own.name, number.name),
            &own,
            &own,
        );
        value.exact &= function.exact;
        value
    }

    /// Creates a function of a value of a kind and a number.
    fn function_of(&mut self, kind: Kind) {
        let start = self.choices.mark();
        let parameters = [
            Column::new("p", kind, true),
            Column::new("q", Kind::Int, true),
        ];
        let name = self.alias('f');
        // A function that calls itself is none, so it is not there yet.
        let body = self.simple_value(&parameters, kind);
        self.choices.close(start);
        self.views.push(format!(
            "CREATE FUNCTION {name}(p {kind}, q INT) RETURNS {kind} RETURN {};\n",
            body.name,
            kind = kind.sql(),
        ));
        self.functions.push(Column { name, kind, ..body });
    }

    /// A condition's choice of two values.
    fn simple_value(&mut self, of: &[Column], kind: Kind) -> Column {
        let condition = self.condition(of, 0);
        let (a, b) = (self.value(of, kind, 0), self.value(of, kind, 0));
        let text = format!("CASE WHEN {condition} THEN {} ELSE {} END", a.name, b.name);
        both(&text, &a, &b)
    }

    fn of_its_kind(&mut self, of: &[Column], kind: Kind, depth: usize) -> Column {
        let a = self.value(of, kind, depth);
        let with = |text: String| Column {
            name: text,
            nullable: true,
            ..a.clone()
        };
        match kind {
            _ if kind.is_number() => self.arithmetic(of, kind, depth, &a),
            Kind::Text => match self.choices.below(5) {
                0 => with(format!("UPPER({})", a.name)),
                1 => {
                    let b = self.value(of, kind, depth);
                    both(&format!("({} || {})", a.name, b.name), &a, &b)
                }
                2 => with(format!("SUBSTRING({} FROM 1 FOR 1)", a.name)),
                3 => with(format!("REPLACE({}, 'a', 'bb')", a.name)),
                _ => {
                    let number = self.value(of, Kind::Int, 0);
                    with(format!("CAST({} AS STRING)", number.name))
                }
            },
            Kind::Bool => with(format!("({})", self.condition(of, depth))),
            Kind::Moment => with(format!("{} + INTERVAL '2' SECOND", a.name)),
            Kind::Date => with(format!("{} + INTERVAL '1' DAY", a.name)),
            _ => a,
        }
    }

    fn arithmetic(&mut self, of: &[Column], kind: Kind, depth: usize, a: &Column) -> Column {
        let with = |text: String| Column {
            name: text,
            nullable: true,
            ..a.clone()
        };
        match self.choices.below(6) {
            sign @ (0 | 1) => {
                let b = self.value(of, kind, depth);
                let sign = ["+", "-"][sign];
                both(&format!("({} {sign} {})", a.name, b.name), a, &b)
            }
            2 => with(format!("({} * 2)", a.name)),
            3 => with(format!("ABS({})", a.name)),
            4 if kind.is_whole() => with(format!("({} % 3)", a.name)),
            4 => with(format!("FLOOR({})", a.name)),
            _ if kind.is_whole() => match self.column(of, |c| c.kind == Kind::Text) {
                Some(text) => with(format!("CHAR_LENGTH({})", text.name)),
                None => with(format!("(0 - {})", a.name)),
            },
            _ => with(format!("CAST({} AS {})", a.name, kind.sql())),
        }
    }

    /// A condition on one row.
    pub(super) fn condition(&mut self, of: &[Column], depth: usize) -> String {
        let start = self.choices.mark();
        let text = match depth > 0 && self.choices.percent(25) {
            true => self.connected(of, depth - 1),
            false => self.comparison(of, depth),
        };
        self.choices.close(start);
        text
    }

    fn connected(&mut self, of: &[Column], depth: usize) -> String {
        let a = self.condition(of, depth);
        match self.choices.below(3) {
            2 => format!("NOT ({a})"),
            word => {
                let b = self.condition(of, depth);
                format!("({a} {} {b})", ["AND", "OR"][word])
            }
        }
    }

    fn comparison(&mut self, of: &[Column], depth: usize) -> String {
        let Some(column) = self.column(of, |c| c.kind.is_plain()) else {
            return "TRUE".to_string();
        };
        let (name, kind) = (&column.name, column.kind);
        match self.choices.below(9) {
            0..=2 => {
                let literal = kind.literal(self.choices);
                format!("{name} {} {literal}", self.choices.pick(&COMPARISONS))
            }
            3 => {
                let other = self.value(of, kind, depth.min(1));
                let comparison = self.choices.pick(&COMPARISONS);
                format!("{name} {comparison} {}", other.name)
            }
            4 => {
                let missing = column.nullable && self.choices.percent(50);
                format!("{name} IS {}NULL", if missing { "" } else { "NOT " })
            }
            5 => {
                let (a, b) = (kind.literal(self.choices), kind.literal(self.choices));
                let not = ["", "NOT "][self.choices.below(2)];
                format!("{name} {not}IN ({a}, {b})")
            }
            6 => {
                let (a, b) = (self.choices.below(4), self.choices.below(4));
                let (a, b) = (kind.literal_of(a.min(b)), kind.literal_of(a.max(b)));
                format!("{name} BETWEEN {a} AND {b}")
            }
            7 => {
                let other = self.value(of, kind, 0);
                let not = ["", "NOT "][self.choices.below(2)];
                format!("{name} IS {not}DISTINCT FROM {}", other.name)
            }
            _ if kind == Kind::Text => format!("{name} LIKE '%b%'"),
            _ if kind == Kind::Bool => name.clone(),
            _ => format!("{name} IS NOT NULL"),
        }
    }
}

/// A value of two.
fn both(text: &str, a: &Column, b: &Column) -> Column {
    Column {
        name: text.to_string(),
        kind: a.kind,
        exact: a.exact && b.exact,
        nullable: true,
    }
}
