//! Changes as rows, and rows as changes.
//!
//! `TO_CHANGELOG(input => TABLE t PARTITION BY k, op => DESCRIPTOR(op), op_mapping => MAP['INSERT', 'I'])` and
//! FROM_CHANGELOG become a table for which this dialect has no syntax of its own, UNPIVOT, with the table of the argument
//! in it. So that one is treated like any table of FROM. [`ChangelogCall`] reads what the rest says:
//! ```text
//!   t UNPIVOT (marker('op', 'I', 'INSERT', …) FOR op IN (k))
//! ```

use sqlparser::ast::{
    Expr, ExprWithAlias, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    MapEntry, ObjectName, TableAlias, TableFactor, Value, WindowType,
};
use sqlparser::tokenizer::Span;

use super::windows::{plain_table, single_argument};
use super::{expression_location, name_location};
use levada_engine::element::{ChangelogMode, RowKind};
use levada_language::dialect::{TABLE_ARGUMENT, call, text};
use levada_language::error::{Location, PlanError, PlanErrorKind};

/// The kinds of changes by their names.
const KINDS: [(&str, RowKind); 4] = [
    ("INSERT", RowKind::Insert),
    ("UPDATE_BEFORE", RowKind::UpdateBefore),
    ("UPDATE_AFTER", RowKind::UpdateAfter),
    ("DELETE", RowKind::Delete),
];

/// The column of codes where nothing else is said.
const OP: &str = "op";

/// The name of a kind of change.
pub(crate) fn kind_name(kind: RowKind) -> &'static str {
    let mut kinds = KINDS.iter();
    kinds.find(|(_, own)| *own == kind).map_or("", |k| k.0)
}

fn kind_of(name: &str) -> Option<RowKind> {
    let mut kinds = KINDS.iter();
    let found = kinds.find(|(own, _)| own.eq_ignore_ascii_case(name));
    found.map(|(_, kind)| *kind)
}

/// Which way changes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    /// A row of every change.
    To,
    /// A change of every row.
    From,
}

impl Direction {
    /// The function of that name.
    pub(super) fn of(name: &ObjectName) -> Option<Self> {
        let both = [Direction::To, Direction::From];
        let name = name.to_string();
        let mut both = both.into_iter();
        both.find(|direction| name.eq_ignore_ascii_case(direction.sql_name()))
    }

    pub(crate) fn sql_name(self) -> &'static str {
        match self {
            Direction::To => "TO_CHANGELOG",
            Direction::From => "FROM_CHANGELOG",
        }
    }

    fn marker(self) -> &'static str {
        match self {
            Direction::To => "__levada_to_changelog",
            Direction::From => "__levada_from_changelog",
        }
    }

    fn names(self) -> &'static [&'static str] {
        match self {
            Direction::To => &["INPUT", "OP", "OP_MAPPING"],
            Direction::From => &["INPUT", "OP", "OP_MAPPING", "ERROR_HANDLING"],
        }
    }

    fn shape(self) -> &'static str {
        match self {
            Direction::To => {
                "TO_CHANGELOG(input => TABLE t [PARTITION BY k] [, op => DESCRIPTOR(op)] \
                 [, op_mapping => MAP['INSERT, UPDATE_AFTER', 'U', 'DELETE', 'D']])"
            }
            Direction::From => {
                "FROM_CHANGELOG(input => TABLE t [PARTITION BY k] [, op => DESCRIPTOR(op)] \
                 [, op_mapping => MAP['c, r', 'INSERT', 'u', 'UPDATE_AFTER', 'd', 'DELETE']] \
                 [, error_handling => 'SKIP'])"
            }
        }
    }
}

/// What a call says, its table and the columns of PARTITION BY aside.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ChangelogCall {
    /// Which function it is.
    pub(crate) direction: Direction,
    /// The column of codes.
    pub(crate) op: String,
    /// The codes and what they stand for.
    pub(crate) codes: Vec<(String, RowKind)>,
    /// Whether rows with other codes are left out.
    pub(crate) skip: bool,
    /// Where the function stands in the SQL.
    pub(crate) location: Option<Location>,
}

impl ChangelogCall {
    /// What a table of FROM was written as.
    pub(crate) fn of(value: &Expr, name: &Ident) -> Option<Self> {
        let Expr::Function(function) = value else {
            return None;
        };
        let marker = function.name.to_string();
        let mut both = [Direction::To, Direction::From].into_iter();
        let direction = both.find(|direction| direction.marker() == marker)?;
        let FunctionArguments::List(list) = &function.args else {
            return None;
        };
        let texts: Option<Vec<&str>> = list.args.iter().map(text_argument).collect();
        let texts = texts?;
        let (skip, codes) = texts.split_first()?;
        let codes = codes.chunks_exact(2).filter_map(|pair| match pair {
            [code, kind] => Some(((*code).to_string(), kind_of(kind)?)),
            _ => None,
        });
        Some(ChangelogCall {
            direction,
            op: name.value.clone(),
            codes: codes.collect(),
            skip: *skip == "SKIP",
            location: name_location(&function.name),
        })
    }

    /// What the rows are that codes make; whether they have a key is told.
    pub(crate) fn mode(&self, keyed: bool) -> ChangelogMode {
        let changes = [RowKind::UpdateAfter, RowKind::Delete];
        if !changes.into_iter().any(|kind| self.has(kind)) {
            return ChangelogMode::Append;
        }
        match keyed && !self.has(RowKind::UpdateBefore) {
            true => ChangelogMode::Upsert,
            false => ChangelogMode::Retract,
        }
    }

    /// Whether a kind of change has a code.
    pub(crate) fn has(&self, kind: RowKind) -> bool {
        self.codes.iter().any(|(_, own)| *own == kind)
    }
}

/// The table for a call.
pub(super) fn table(
    direction: Direction,
    name: &ObjectName,
    args: &[FunctionArg],
    alias: Option<TableAlias>,
) -> Result<TableFactor, PlanError> {
    let ident = name.0.first().and_then(|part| part.as_ident());
    let span = ident.map_or_else(Span::empty, |ident| ident.span);
    let arguments = Arguments::bind(direction, span, args)?;
    let (table, keys) = arguments.input()?;
    let op = arguments.op()?;
    let codes = arguments.codes()?;
    arguments.check_kinds(&codes, !keys.is_empty())?;
    let skip = arguments.skips()?;
    let mut texts = vec![text(if skip { "SKIP" } else { "FAIL" }, span)];
    for (code, kind) in codes {
        texts.extend([text(code, span), text(kind_name(kind), span)]);
    }
    // The column of codes is one of the input, or one that is made.
    let read = (direction == Direction::From).then(|| Expr::Identifier(op.clone()));
    let column = |expr| ExprWithAlias { expr, alias: None };
    Ok(TableFactor::Unpivot {
        table: Box::new(table),
        value: call(direction.marker(), span, texts),
        name: op,
        columns: read.into_iter().chain(keys).map(column).collect(),
        null_inclusion: None,
        alias,
    })
}

/// The arguments of a call, each in its place.
struct Arguments<'a> {
    direction: Direction,
    span: Span,
    values: Vec<Option<&'a Expr>>,
}

impl<'a> Arguments<'a> {
    fn bind(direction: Direction, span: Span, args: &'a [FunctionArg]) -> Result<Self, PlanError> {
        let names = direction.names();
        let mut bound = Arguments {
            direction,
            span,
            values: vec![None; names.len()],
        };
        for (position, arg) in args.iter().enumerate() {
            let (index, value) = match arg {
                FunctionArg::Named { name, arg, .. } => {
                    let mut names = names.iter();
                    let index = names.position(|n| name.value.eq_ignore_ascii_case(n));
                    (index.ok_or_else(|| bound.unknown(name))?, arg)
                }
                FunctionArg::Unnamed(arg) => (position, arg),
                FunctionArg::ExprNamed { .. } => return Err(bound.usage()),
            };
            match (bound.values.get_mut(index), value) {
                (Some(slot @ None), FunctionArgExpr::Expr(value)) => *slot = Some(value),
                _ => return Err(bound.usage()),
            }
        }
        Ok(bound)
    }

    fn get(&self, name: &str) -> Option<&'a Expr> {
        let index = self.direction.names().iter().position(|n| *n == name)?;
        self.values.get(index).copied().flatten()
    }

    /// The table, and the columns of PARTITION BY.
    fn input(&self) -> Result<(TableFactor, Vec<Expr>), PlanError> {
        let argument = match self.get("INPUT") {
            Some(Expr::Function(function)) if function.name.to_string() == TABLE_ARGUMENT => {
                function
            }
            Some(Expr::Subquery(query)) => {
                let table = TableFactor::Derived {
                    lateral: false,
                    subquery: query.clone(),
                    alias: None,
                    sample: None,
                };
                return Ok((table, Vec::new()));
            }
            _ => return Err(self.usage()),
        };
        let idents = match single_argument(argument) {
            Some(Expr::Identifier(ident)) => vec![ident.clone()],
            Some(Expr::CompoundIdentifier(idents)) => idents.clone(),
            _ => return Err(self.usage()),
        };
        Ok((plain_table(ObjectName::from(idents)), self.keys(argument)?))
    }

    fn keys(&self, argument: &Function) -> Result<Vec<Expr>, PlanError> {
        let Some(WindowType::WindowSpec(spec)) = &argument.over else {
            return Ok(Vec::new());
        };
        let name = self.direction.sql_name();
        if let Some(order) = spec.order_by.first() {
            return Err(self
                .error(format!("ORDER BY has no meaning in {name}"))
                .hint("changes are in the order in which they come")
                .or_at(expression_location(&order.expr)));
        }
        let is_column =
            |expr: &&Expr| !matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
        match spec.partition_by.iter().find(is_column) {
            Some(expr) => Err(self
                .refused(format!("PARTITION BY of {name} takes names of columns"))
                .hint("compute the column in a view, and give that as the input")
                .at(expression_location(expr).or(Location::of(self.span)))),
            None => Ok(spec.partition_by.clone()),
        }
    }

    /// The column of codes.
    fn op(&self) -> Result<Ident, PlanError> {
        let descriptor = match self.get("OP") {
            None => return Ok(Ident::with_span(self.span, OP)),
            Some(Expr::Function(function))
                if function.name.to_string().eq_ignore_ascii_case("DESCRIPTOR") =>
            {
                function
            }
            Some(_) => return Err(self.usage()),
        };
        match single_argument(descriptor) {
            Some(Expr::Identifier(ident)) => Ok(ident.clone()),
            _ => Err(self
                .refused("DESCRIPTOR takes the name of one column".to_string())
                .at(name_location(&descriptor.name))),
        }
    }

    /// The codes with what they stand for.
    fn codes(&self) -> Result<Vec<(String, RowKind)>, PlanError> {
        let entries = match self.get("OP_MAPPING") {
            None => {
                let kinds = KINDS.iter();
                return Ok(kinds
                    .map(|(name, kind)| (name.to_string(), *kind))
                    .collect());
            }
            Some(Expr::Map(map)) if !map.entries.is_empty() => &map.entries,
            Some(_) => return Err(self.usage()),
        };
        let mut codes: Vec<(String, RowKind)> = Vec::new();
        for MapEntry { key, value } in entries {
            let (Some(listed), Some(single)) = (literal(key), literal(value)) else {
                return Err(self
                    .refused("op_mapping takes texts".to_string())
                    .hint(format!("write {}", self.direction.shape()))
                    .at(expression_location(key).or(Location::of(self.span))));
            };
            for listed in listed.split(',').map(str::trim) {
                let (code, kind, expr) = match self.direction {
                    Direction::To => (single, listed, key),
                    Direction::From => (listed, single.trim(), value),
                };
                let kind = kind_of(kind).ok_or_else(|| self.no_kind(kind, expr))?;
                let twice = |(own_code, own): &(String, RowKind)| match self.direction {
                    Direction::To => *own == kind,
                    Direction::From => own_code == code,
                };
                if codes.iter().any(twice) {
                    return Err(self
                        .refused(format!("op_mapping has '{listed}' twice"))
                        .at(expression_location(key).or(Location::of(self.span))));
                }
                codes.push((code.to_string(), kind));
            }
        }
        Ok(codes)
    }

    fn no_kind(&self, kind: &str, at: &Expr) -> PlanError {
        let names = KINDS.map(|(name, _)| name);
        let error = self.refused(format!("'{kind}' is no kind of change"));
        let error = match levada_language::error::nearest(kind, names) {
            Some(near) => error.hint(format!("did you mean '{near}'?")),
            None => error.hint(format!("the kinds are {}", names.join(", "))),
        };
        error.at(expression_location(at).or(Location::of(self.span)))
    }

    /// Updates need a row before, or a key by which that is known.
    fn check_kinds(&self, codes: &[(String, RowKind)], keyed: bool) -> Result<(), PlanError> {
        if self.direction == Direction::To {
            return Ok(());
        }
        let has = |kind| codes.iter().any(|(_, own)| *own == kind);
        match (has(RowKind::UpdateBefore), has(RowKind::UpdateAfter)) {
            (true, false) => Err(self
                .error("op_mapping has UPDATE_BEFORE and no UPDATE_AFTER".to_string())
                .hint("map rows that go for good to DELETE")),
            (false, true) if !keyed => Err(self
                .error("updates without the row before them need a key".to_string())
                .hint("name it: input => TABLE t PARTITION BY k; or map a code to UPDATE_BEFORE")),
            _ => Ok(()),
        }
    }

    /// Whether rows with unknown codes are left out.
    fn skips(&self) -> Result<bool, PlanError> {
        let Some(handling) = self.get("ERROR_HANDLING") else {
            return Ok(false);
        };
        match literal(handling).map(str::to_ascii_uppercase).as_deref() {
            Some("FAIL") => Ok(false),
            Some("SKIP") => Ok(true),
            _ => Err(self
                .refused("error_handling is 'FAIL' or 'SKIP'".to_string())
                .at(expression_location(handling).or(Location::of(self.span)))),
        }
    }

    fn refused(&self, message: String) -> PlanError {
        PlanError::new(PlanErrorKind::InvalidStatement, message)
    }

    fn error(&self, message: String) -> PlanError {
        self.refused(message).at(Location::of(self.span))
    }

    fn usage(&self) -> PlanError {
        let name = self.direction.sql_name();
        self.error(format!("the arguments of {name} do not fit"))
            .hint(format!("write {}", self.direction.shape()))
    }

    fn unknown(&self, name: &Ident) -> PlanError {
        let function = self.direction.sql_name();
        let names = self.direction.names().join(", ").to_lowercase();
        self.refused(format!("{function} has no argument {}", name.value))
            .hint(format!("its arguments are {names}"))
            .at(Location::of(name.span))
    }
}

fn literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

fn text_argument(arg: &FunctionArg) -> Option<&str> {
    match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => literal(expr),
        _ => None,
    }
}
