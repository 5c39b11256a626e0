//! Changes as rows, and rows as changes.
//!
//! `TO_CHANGELOG(input => TABLE t PARTITION BY k, op => DESCRIPTOR(op), op_mapping => MAP['INSERT', 'I'])` and
//! FROM_CHANGELOG become a table for which this dialect has no syntax of its own, UNPIVOT, with the table of the argument
//! in it. So that one is treated like any table of FROM. [`ChangelogCall`] reads what the rest says:
//! ```text
//!   t UNPIVOT (marker('op', 'I', 'INSERT', …) FOR op IN (k))
//! ```

use sqlparser::ast::{
    Expr, ExprWithAlias, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, MapEntry,
    ObjectName, TableAlias, TableFactor, Value,
};

use super::arguments::{Arguments, Signature, TableArgument, is_column};
use super::{expression_location, name_location};
use levada_engine::element::{ChangelogMode, RowKind};
use levada_language::dialect::{call, text};
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
fn kind_name(kind: RowKind) -> &'static str {
    let mut kinds = KINDS.iter();
    kinds.find(|(_, own)| *own == kind).map_or("", |k| k.0)
}

/// Codes with the kinds that they stand for, as plans show them.
pub(crate) fn show_codes(codes: &[(String, RowKind)]) -> String {
    let codes = codes.iter();
    let codes: Vec<String> = codes
        .map(|(code, kind)| format!("'{code}' = {}", kind_name(*kind)))
        .collect();
    codes.join(", ")
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

    fn signature(self) -> Signature {
        let (names, shape): (&'static [&'static str], _) = match self {
            Direction::To => (
                &["input", "op", "op_mapping"],
                "TO_CHANGELOG(input => TABLE t [PARTITION BY k] [, op => DESCRIPTOR(op)] \
                 [, op_mapping => MAP['INSERT, UPDATE_AFTER', 'U', 'DELETE', 'D']])",
            ),
            Direction::From => (
                &["input", "op", "op_mapping", "error_handling"],
                "FROM_CHANGELOG(input => TABLE t [PARTITION BY k] [, op => DESCRIPTOR(op)] \
                 [, op_mapping => MAP['c, r', 'INSERT', 'u', 'UPDATE_AFTER', 'd', 'DELETE']] \
                 [, error_handling => 'SKIP'])",
            ),
        };
        Signature {
            function: self.sql_name(),
            names,
            unnamed: names.len(),
            shape,
            error: PlanErrorKind::InvalidStatement,
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
    let arguments = Arguments::bind(direction.signature(), name, args)?;
    let span = arguments.span;
    let input = arguments.table("input")?;
    check_columns(&arguments, &input)?;
    let op = op(&arguments)?;
    let codes = codes(&arguments, direction)?;
    if direction == Direction::From {
        check_kinds(&arguments, &codes, !input.partition_by.is_empty())?;
    }
    let skip = skips(&arguments)?;
    let mut texts = vec![text(if skip { "SKIP" } else { "FAIL" }, span)];
    for (code, kind) in codes {
        texts.extend([text(code, span), text(kind_name(kind), span)]);
    }
    // The column of codes is one of the input, or one that is made.
    let read = (direction == Direction::From).then(|| Expr::Identifier(op.clone()));
    let column = |expr| ExprWithAlias { expr, alias: None };
    Ok(TableFactor::Unpivot {
        table: Box::new(input.table),
        value: call(direction.marker(), span, texts),
        name: op,
        columns: read
            .into_iter()
            .chain(input.partition_by)
            .map(column)
            .collect(),
        null_inclusion: None,
        alias,
    })
}

fn check_columns(arguments: &Arguments<'_>, input: &TableArgument) -> Result<(), PlanError> {
    let function = arguments.function();
    if let Some(order) = input.order_by.first() {
        let message = format!("ORDER BY has no meaning in {function}");
        return Err(arguments
            .refused_at(message, &order.expr)
            .hint("changes are in the order in which they come"));
    }
    match input.partition_by.iter().find(|expr| !is_column(expr)) {
        Some(expr) => {
            let message = format!("PARTITION BY of {function} takes names of columns");
            Err(arguments
                .refused_at(message, expr)
                .hint("compute the column in a view, and give that as the input"))
        }
        None => Ok(()),
    }
}

/// The column of codes.
fn op(arguments: &Arguments<'_>) -> Result<Ident, PlanError> {
    if arguments.get("op").is_none() {
        return Ok(Ident::with_span(arguments.span, OP));
    }
    match arguments.descriptor("op")? {
        Expr::Identifier(ident) => Ok(ident.clone()),
        other => Err(arguments.no_column(expression_location(other))),
    }
}

/// The codes with what they stand for.
fn codes(
    arguments: &Arguments<'_>,
    direction: Direction,
) -> Result<Vec<(String, RowKind)>, PlanError> {
    let entries = match arguments.get("op_mapping") {
        None => {
            let kinds = KINDS.iter();
            let codes = kinds.map(|(name, kind)| (name.to_string(), *kind));
            return Ok(codes.collect());
        }
        Some(Expr::Map(map)) if !map.entries.is_empty() => &map.entries,
        Some(_) => return Err(arguments.usage()),
    };
    let mut codes: Vec<(String, RowKind)> = Vec::new();
    for MapEntry { key, value } in entries {
        let (Some(listed), Some(single)) = (literal(key), literal(value)) else {
            return Err(arguments
                .refused_at("op_mapping takes texts", key)
                .hint(arguments.write()));
        };
        for listed in listed.split(',').map(str::trim) {
            let (code, kind, expr) = match direction {
                Direction::To => (single, listed, key),
                Direction::From => (listed, single.trim(), value),
            };
            let kind = kind_of(kind).ok_or_else(|| no_kind(arguments, kind, expr))?;
            let twice = |(own_code, own): &(String, RowKind)| match direction {
                Direction::To => *own == kind,
                Direction::From => own_code == code,
            };
            if codes.iter().any(twice) {
                return Err(arguments.refused_at(format!("op_mapping has '{listed}' twice"), key));
            }
            codes.push((code.to_string(), kind));
        }
    }
    Ok(codes)
}

fn no_kind(arguments: &Arguments<'_>, kind: &str, at: &Expr) -> PlanError {
    let names = KINDS.map(|(name, _)| name);
    let error = arguments.refused_at(format!("'{kind}' is no kind of change"), at);
    match levada_language::error::nearest(kind, names) {
        Some(near) => error.hint(format!("did you mean '{near}'?")),
        None => error.hint(format!("the kinds are {}", names.join(", "))),
    }
}

/// Updates need a row before, or a key by which that is known.
fn check_kinds(
    arguments: &Arguments<'_>,
    codes: &[(String, RowKind)],
    keyed: bool,
) -> Result<(), PlanError> {
    let has = |kind| codes.iter().any(|(_, own)| *own == kind);
    match (has(RowKind::UpdateBefore), has(RowKind::UpdateAfter)) {
        (true, false) => Err(arguments
            .error("op_mapping has UPDATE_BEFORE and no UPDATE_AFTER")
            .hint("map rows that go for good to DELETE")),
        (false, true) if !keyed => Err(arguments
            .error("updates without the row before them need a key")
            .hint("name it: input => TABLE t PARTITION BY k; or map a code to UPDATE_BEFORE")),
        _ => Ok(()),
    }
}

/// Whether rows with unknown codes are left out.
fn skips(arguments: &Arguments<'_>) -> Result<bool, PlanError> {
    let Some(handling) = arguments.get("error_handling") else {
        return Ok(false);
    };
    match literal(handling).map(str::to_ascii_uppercase).as_deref() {
        Some("FAIL") => Ok(false),
        Some("SKIP") => Ok(true),
        _ => Err(arguments.refused_at("error_handling is 'FAIL' or 'SKIP'", handling)),
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
