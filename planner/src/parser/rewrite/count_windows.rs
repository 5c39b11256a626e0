//! Windows of so many rows.
//!
//! `TABLE(COUNT_TUMBLE(TABLE t PARTITION BY k ORDER BY ts, SIZE => 100)) AS w` becomes
//! ```sql
//! (SELECT *, get_field(marker, 'window_start') AS window_start,
//!            get_field(marker, 'window_end') AS window_end,
//!            get_field(marker, 'window_time') AS window_time FROM t WHERE ts IS NOT NULL) AS w
//! ```
//! where `marker` is the call that [`levada_language::functions::count_window`] documents, with
//! `ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts)` as the number of a row. Without ORDER BY there is no `window_time`.

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, Ident, ObjectName, OrderByExpr, SelectItem,
    TableAlias, TableFactor, Value, WindowSpec, WindowType,
};
use sqlparser::tokenizer::Span;

use super::name_location;
use super::windows::{plain_table, select_with, single_argument};
use levada_language::dialect::{TABLE_ARGUMENT, call, null, number, text};
use levada_language::error::{Location, PlanError, PlanErrorKind};
use levada_language::functions::count_window::MARKER;
use levada_language::functions::window::{WINDOW_END, WINDOW_START, WINDOW_TIME, pack_location};

/// A window table function that counts rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Tumble,
    Hop,
}

impl Kind {
    /// The function of that name.
    pub(super) fn of(name: &ObjectName) -> Option<Self> {
        match name.to_string().to_ascii_uppercase().as_str() {
            "COUNT_TUMBLE" => Some(Kind::Tumble),
            "COUNT_HOP" => Some(Kind::Hop),
            _ => None,
        }
    }

    fn sql_name(self) -> &'static str {
        match self {
            Kind::Tumble => "COUNT_TUMBLE",
            Kind::Hop => "COUNT_HOP",
        }
    }

    fn names(self) -> &'static [&'static str] {
        match self {
            Kind::Tumble => &["DATA", "SIZE"],
            Kind::Hop => &["DATA", "SIZE", "SLIDE"],
        }
    }

    fn shape(self) -> &'static str {
        match self {
            Kind::Tumble => "COUNT_TUMBLE(TABLE t [PARTITION BY k] [ORDER BY ts], SIZE => 100)",
            Kind::Hop => {
                "COUNT_HOP(TABLE t [PARTITION BY k] [ORDER BY ts], SIZE => 100, SLIDE => 10)"
            }
        }
    }
}

/// The arguments of a call, each in its place.
struct Arguments<'a> {
    kind: Kind,
    span: Span,
    values: Vec<Option<&'a Expr>>,
}

/// The rows of a window, and how they are put apart and in order.
struct Source {
    table: TableFactor,
    partition_by: Vec<Expr>,
    order_by: Vec<OrderByExpr>,
}

/// The derived table for a call.
pub(super) fn derived_table(
    kind: Kind,
    name: &ObjectName,
    args: &[FunctionArg],
    alias: Option<TableAlias>,
) -> Result<TableFactor, PlanError> {
    let ident = name.0.first().and_then(|part| part.as_ident());
    let span = ident.map_or_else(Span::empty, |ident| ident.span);
    let arguments = Arguments::bind(kind, span, args)?;
    let size = arguments.rows("SIZE")?;
    let slide = match kind {
        Kind::Tumble => size,
        Kind::Hop => arguments.rows("SLIDE")?,
    };
    let source = arguments.source()?;
    let time = source.order_by.first().map(|order| order.expr.clone());
    let fields: &[&str] = match &time {
        Some(_) => &[WINDOW_START, WINDOW_END, WINDOW_TIME],
        None => &[WINDOW_START, WINDOW_END],
    };
    let not_null = time.clone().map(|time| Expr::IsNotNull(Box::new(time)));
    let mut args = vec![
        number(size, span),
        number(slide, span),
        number(pack_location(Location::of(span)), span),
        row_number(span, source.partition_by.clone(), source.order_by),
        time.unwrap_or_else(|| null(span)),
    ];
    args.extend(source.partition_by);
    let marker = call(MARKER, span, args);
    let column = |field: &&str| SelectItem::ExprWithAlias {
        expr: call("get_field", span, [marker.clone(), text(*field, span)]),
        alias: Ident::with_span(span, *field),
    };
    let columns = fields.iter().map(column).collect();
    Ok(TableFactor::Derived {
        lateral: false,
        subquery: Box::new(select_with(source.table, columns, not_null)),
        alias,
        sample: None,
    })
}

fn row_number(span: Span, partition_by: Vec<Expr>, order_by: Vec<OrderByExpr>) -> Expr {
    let mut numbered = call("ROW_NUMBER", span, []);
    if let Expr::Function(function) = &mut numbered {
        function.over = Some(WindowType::WindowSpec(WindowSpec {
            window_name: None,
            partition_by,
            order_by,
            window_frame: None,
        }));
    }
    numbered
}

impl<'a> Arguments<'a> {
    fn bind(kind: Kind, span: Span, args: &'a [FunctionArg]) -> Result<Self, PlanError> {
        let names = kind.names();
        let mut bound = Arguments {
            kind,
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
                // Which of two numbers is the size could be guessed wrongly.
                FunctionArg::Unnamed(_) if position > 0 && kind == Kind::Hop => {
                    return Err(bound.usage());
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

    fn get(&self, name: &str) -> Result<&'a Expr, PlanError> {
        let index = self.kind.names().iter().position(|n| *n == name);
        let value = index.and_then(|index| self.values.get(index).copied().flatten());
        value.ok_or_else(|| self.usage())
    }

    /// A number of rows.
    fn rows(&self, name: &str) -> Result<i64, PlanError> {
        let rows = match self.get(name)? {
            Expr::Value(value) => match &value.value {
                Value::Number(digits, _) => digits.parse::<i32>().ok(),
                _ => None,
            },
            _ => None,
        };
        let rows = rows.filter(|rows| *rows > 0).map(i64::from);
        rows.ok_or_else(|| {
            let name = name.to_lowercase();
            self.error(format!(
                "the {name} of {} must be a number of rows, from 1 to {}",
                self.kind.sql_name(),
                i32::MAX
            ))
            .hint(format!("write {}", self.kind.shape()))
        })
    }

    fn source(&self) -> Result<Source, PlanError> {
        let argument = match self.get("DATA")? {
            Expr::Function(function) if function.name.to_string() == TABLE_ARGUMENT => function,
            Expr::Subquery(query) => {
                return Ok(Source {
                    table: TableFactor::Derived {
                        lateral: false,
                        subquery: query.clone(),
                        alias: None,
                        sample: None,
                    },
                    partition_by: Vec::new(),
                    order_by: Vec::new(),
                });
            }
            _ => return Err(self.usage()),
        };
        let idents = match single_argument(argument) {
            Some(Expr::Identifier(ident)) => vec![ident.clone()],
            Some(Expr::CompoundIdentifier(idents)) => idents.clone(),
            _ => return Err(self.usage()),
        };
        let (partition_by, order_by) = match &argument.over {
            Some(WindowType::WindowSpec(spec)) => {
                (spec.partition_by.clone(), spec.order_by.clone())
            }
            _ => (Vec::new(), Vec::new()),
        };
        self.check_columns(argument, &partition_by, &order_by)?;
        Ok(Source {
            table: plain_table(ObjectName::from(idents)),
            partition_by,
            order_by,
        })
    }

    fn check_columns(
        &self,
        argument: &Function,
        partition_by: &[Expr],
        order_by: &[OrderByExpr],
    ) -> Result<(), PlanError> {
        let is_column =
            |expr: &Expr| matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
        let what = if !partition_by.iter().all(is_column) {
            "PARTITION BY"
        } else if !order_by.iter().all(|order| is_column(&order.expr)) {
            "ORDER BY"
        } else {
            return Ok(());
        };
        let message = format!("{what} of {} takes names of columns", self.kind.sql_name());
        Err(PlanError::new(PlanErrorKind::InvalidWindow, message)
            .hint("compute the column in a view, and put the window on that")
            .at(name_location(&argument.name)))
    }

    fn error(&self, message: String) -> PlanError {
        PlanError::new(PlanErrorKind::InvalidWindow, message).at(Location::of(self.span))
    }

    fn usage(&self) -> PlanError {
        let name = self.kind.sql_name();
        self.error(format!("the arguments of {name} do not fit"))
            .hint(format!("write {}", self.kind.shape()))
    }

    fn unknown(&self, name: &Ident) -> PlanError {
        let message = format!("{} has no argument {}", self.kind.sql_name(), name.value);
        PlanError::new(PlanErrorKind::InvalidWindow, message)
            .hint(format!(
                "its arguments are {}",
                self.kind.names().join(", ")
            ))
            .at(Location::of(name.span))
    }
}
