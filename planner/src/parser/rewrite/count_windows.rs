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
    Expr, FunctionArg, Ident, ObjectName, OrderByExpr, SelectItem, TableAlias, TableFactor, Value,
    WindowSpec, WindowType,
};
use sqlparser::tokenizer::Span;

use super::arguments::{Arguments, Signature, TableArgument, derived, is_column};
use super::windows::select_with;
use levada_language::dialect::{call, null, number, text};
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

    fn signature(self) -> Signature {
        let error = PlanErrorKind::InvalidWindow;
        match self {
            Kind::Tumble => Signature {
                function: "COUNT_TUMBLE",
                names: &["DATA", "SIZE"],
                unnamed: 2,
                shape: "COUNT_TUMBLE(TABLE t [PARTITION BY k] [ORDER BY ts], SIZE => 100)",
                error,
            },
            Kind::Hop => Signature {
                function: "COUNT_HOP",
                names: &["DATA", "SIZE", "SLIDE"],
                // Which of two numbers is the size could be guessed wrongly.
                unnamed: 1,
                shape: "COUNT_HOP(TABLE t [PARTITION BY k] [ORDER BY ts], SIZE => 100, SLIDE => 10)",
                error,
            },
        }
    }
}

/// The derived table for a call.
pub(super) fn derived_table(
    kind: Kind,
    name: &ObjectName,
    args: &[FunctionArg],
    alias: Option<TableAlias>,
) -> Result<TableFactor, PlanError> {
    let arguments = Arguments::bind(kind.signature(), name, args)?;
    let span = arguments.span;
    let size = rows(&arguments, "SIZE")?;
    let slide = match kind {
        Kind::Tumble => size,
        Kind::Hop => rows(&arguments, "SLIDE")?,
    };
    let source = arguments.table("DATA")?;
    check_columns(&arguments, &source)?;
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
    let query = select_with(source.table, columns, not_null);
    Ok(derived(Box::new(query), alias))
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

/// A number of rows.
fn rows(arguments: &Arguments<'_>, name: &str) -> Result<i64, PlanError> {
    let rows = match arguments.require(name)? {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse::<i32>().ok(),
            _ => None,
        },
        _ => None,
    };
    let rows = rows.filter(|rows| *rows > 0).map(i64::from);
    rows.ok_or_else(|| {
        let name = name.to_lowercase();
        let function = arguments.function();
        let most = i32::MAX;
        let message =
            format!("the {name} of {function} must be a number of rows, from 1 to {most}");
        arguments.error(message).hint(arguments.write())
    })
}

fn check_columns(arguments: &Arguments<'_>, source: &TableArgument) -> Result<(), PlanError> {
    let function = arguments.function();
    let mut orders = source.order_by.iter();
    let what = if !source.partition_by.iter().all(is_column) {
        "PARTITION BY"
    } else if !orders.all(|order| is_column(&order.expr)) {
        "ORDER BY"
    } else {
        return Ok(());
    };
    Err(arguments
        .refused(format!("{what} of {function} takes names of columns"))
        .hint("compute the column in a view, and put the window on that")
        .at(source.location))
}
