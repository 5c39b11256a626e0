//! Windows: table functions and legacy group windows.
//!
//! `TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) AS w` becomes
//! ```sql
//! (SELECT *, get_field(marker, 'window_start') AS window_start,
//!            get_field(marker, 'window_end') AS window_end,
//!            get_field(marker, 'window_time') AS window_time FROM t) AS w
//! ```
//! where `marker` is the call that [`levada_language::functions::window`] documents, the same in all
//! three places.
//!
//! `GROUP BY TUMBLE(ts, INTERVAL '10' SECOND)` becomes a GROUP BY of the same three field
//! accesses, and TUMBLE_START, TUMBLE_END and TUMBLE_ROWTIME with the same arguments become
//! one of them. So whoever turns markers into windows finds them in a projection or an
//! aggregation, always as `get_field(marker, …)`.

use std::ops::ControlFlow;

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Ident,
    ObjectName, OrderBy, Query, Select, SelectFlavor, SelectItem, SetExpr, TableAlias, TableFactor,
    TableWithJoins, VisitMut, VisitorMut, WildcardAdditionalOptions,
};
use sqlparser::tokenizer::Span;

use super::arguments::{Arguments, Signature, TableArgument, derived};
use super::{changelogs, count_windows, group_expressions};
use levada_language::dialect::{call, null, number, text};
use levada_language::error::{Location, PlanError, PlanErrorKind};
use levada_language::functions::window::{
    MARKER, WINDOW_END, WINDOW_START, WINDOW_TIME, WindowKind, pack_location,
};

/// A window and everything that it was given.
#[derive(Debug, Clone, PartialEq)]
struct Window {
    kind: WindowKind,
    span: Span,
    time: Expr,
    /// Size, or the gap of a session.
    size: Expr,
    /// Slide of HOP, step of CUMULATE.
    slide: Option<Expr>,
    offset: Option<Expr>,
    partition_by: Vec<Expr>,
}

impl Window {
    fn marker(&self) -> Expr {
        let span = self.span;
        let optional = |value: &Option<Expr>| value.clone().unwrap_or_else(|| null(span));
        let args = [
            text(self.kind.name(), span),
            self.time.clone(),
            self.size.clone(),
            optional(&self.slide),
            optional(&self.offset),
            number(pack_location(Location::of(span)), span),
        ];
        call(
            MARKER,
            span,
            args.into_iter().chain(self.partition_by.iter().cloned()),
        )
    }

    fn field(&self, field: &str) -> Expr {
        call(
            "get_field",
            self.span,
            [self.marker(), text(field, self.span)],
        )
    }

    fn columns(&self) -> Vec<SelectItem> {
        let column = |field| SelectItem::ExprWithAlias {
            expr: self.field(field),
            alias: Ident::with_span(self.span, field),
        };
        [WINDOW_START, WINDOW_END, WINDOW_TIME].map(column).into()
    }
}

fn kind_of(name: &ObjectName) -> Option<WindowKind> {
    match name.0.as_slice() {
        [only] => WindowKind::from_name(&only.as_ident()?.value),
        _ => None,
    }
}

/// The table for a window table function or one of changes, with or without TABLE( ) around it.
pub(super) fn table_function(factor: &TableFactor) -> Result<Option<TableFactor>, PlanError> {
    let (name, args, alias) = match factor {
        TableFactor::TableFunction {
            expr: Expr::Function(function),
            alias,
        } => match &function.args {
            FunctionArguments::List(list) => (&function.name, &list.args, alias),
            _ => return Ok(None),
        },
        TableFactor::Table {
            name,
            args: Some(args),
            alias,
            ..
        } => (name, &args.args, alias),
        _ => return Ok(None),
    };
    if let Some(direction) = changelogs::Direction::of(name) {
        return changelogs::table(direction, name, args, alias.clone()).map(Some);
    }
    if let Some(kind) = count_windows::Kind::of(name) {
        return count_windows::derived_table(kind, name, args, alias.clone()).map(Some);
    }
    match kind_of(name) {
        Some(kind) => derived_table(kind, name, args, alias.clone()).map(Some),
        None => Ok(None),
    }
}

fn signature(kind: WindowKind) -> Signature {
    let (names, shape): (&'static [&'static str], _) = match kind {
        WindowKind::Tumble => (
            &["DATA", "TIMECOL", "SIZE", "OFFSET"],
            "TUMBLE(TABLE t, DESCRIPTOR(ts), size [, offset])",
        ),
        WindowKind::Hop => (
            &["DATA", "TIMECOL", "SLIDE", "SIZE", "OFFSET"],
            "HOP(TABLE t, DESCRIPTOR(ts), slide, size [, offset])",
        ),
        WindowKind::Cumulate => (
            &["DATA", "TIMECOL", "STEP", "SIZE", "OFFSET"],
            "CUMULATE(TABLE t, DESCRIPTOR(ts), step, size [, offset])",
        ),
        WindowKind::Session => (
            &["DATA", "TIMECOL", "GAP"],
            "SESSION(TABLE t [PARTITION BY k], DESCRIPTOR(ts), gap)",
        ),
    };
    Signature {
        function: kind.sql_name(),
        names,
        unnamed: names.len(),
        shape,
        error: PlanErrorKind::InvalidWindow,
    }
}

/// The derived table for a call.
fn derived_table(
    kind: WindowKind,
    name: &ObjectName,
    args: &[FunctionArg],
    alias: Option<TableAlias>,
) -> Result<TableFactor, PlanError> {
    let arguments = Arguments::bind(signature(kind), name, args)?;
    let source = arguments.table("DATA")?;
    check_order(kind, &arguments, &source)?;
    let (size, slide) = match kind {
        WindowKind::Tumble => ("SIZE", None),
        WindowKind::Hop => ("SIZE", Some("SLIDE")),
        WindowKind::Cumulate => ("SIZE", Some("STEP")),
        WindowKind::Session => ("GAP", None),
    };
    let slide = slide.map(|name| arguments.require(name)).transpose()?;
    let window = Window {
        kind,
        span: arguments.span,
        time: arguments.descriptor("TIMECOL")?.clone(),
        size: arguments.require(size)?.clone(),
        slide: slide.cloned(),
        offset: arguments.get("OFFSET").cloned(),
        partition_by: source.partition_by,
    };
    let query = select_with(source.table, window.columns(), None);
    Ok(derived(Box::new(query), alias))
}

/// Rows are in windows by their time, and only sessions are of a key.
fn check_order(
    kind: WindowKind,
    arguments: &Arguments<'_>,
    source: &TableArgument,
) -> Result<(), PlanError> {
    let (what, hint) = if !source.order_by.is_empty() {
        ("ORDER BY", "DESCRIPTOR(ts) says which time counts")
    } else if !source.partition_by.is_empty() && kind != WindowKind::Session {
        let hint = "only SESSION windows depend on keys; group by the keys instead";
        ("PARTITION BY", hint)
    } else {
        return Ok(());
    };
    let message = format!("{what} has no meaning in {}", kind.sql_name());
    Err(arguments.refused(message).hint(hint).at(source.location))
}

/// `SELECT *, columns FROM source WHERE condition`.
pub(super) fn select_with(
    source: TableFactor,
    columns: Vec<SelectItem>,
    condition: Option<Expr>,
) -> Query {
    let wildcard = SelectItem::Wildcard(WildcardAdditionalOptions::default());
    let select = Select {
        select_token: AttachedToken::empty(),
        optimizer_hints: vec![],
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection: std::iter::once(wildcard).chain(columns).collect(),
        exclude: None,
        into: None,
        from: vec![TableWithJoins {
            relation: source,
            joins: vec![],
        }],
        lateral_views: vec![],
        prewhere: None,
        selection: condition,
        connect_by: vec![],
        group_by: GroupByExpr::Expressions(vec![], vec![]),
        cluster_by: vec![],
        distribute_by: vec![],
        sort_by: vec![],
        having: None,
        named_window: vec![],
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: SelectFlavor::Standard,
    };
    Query {
        with: None,
        body: Box::new(SetExpr::Select(Box::new(select))),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: vec![],
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: vec![],
    }
}

/// The windows in the GROUP BY of one SELECT.
pub(super) struct GroupWindows(Vec<Window>);

impl GroupWindows {
    pub(super) fn of_select(select: &Select) -> Result<Self, PlanError> {
        let GroupByExpr::Expressions(expressions, _) = &select.group_by else {
            return Ok(Self(Vec::new()));
        };
        let mut windows = Vec::new();
        for expr in expressions {
            if let Expr::Function(function) = expr
                && let Some(kind) = kind_of(&function.name)
            {
                windows.push(group_window(kind, function)?);
            }
        }
        if let Some(second) = windows.get(1) {
            return Err(PlanError::unsupported(
                "a second window in one GROUP BY",
                Location::of(second.span),
            ));
        }
        Ok(Self(windows))
    }

    /// Replaces the window and its auxiliary functions in a SELECT.
    pub(super) fn rewrite_select(&self, select: &mut Select) -> Result<(), PlanError> {
        if let Some(window) = self.0.first()
            && let Some(expressions) = group_expressions(&mut select.group_by)
        {
            expressions.retain(|expr| !is_window_call(expr));
            expressions.extend([WINDOW_START, WINDOW_END, WINDOW_TIME].map(|f| window.field(f)));
        }
        let mut auxiliary = Auxiliary { windows: &self.0 };
        for item in &mut select.projection {
            auxiliary.name_column(item);
            finish(item.visit(&mut auxiliary))?;
        }
        finish(select.having.visit(&mut auxiliary))?;
        finish(select.qualify.visit(&mut auxiliary))
    }

    /// Replaces auxiliary functions in the ORDER BY of the query.
    pub(super) fn rewrite_order_by(&self, order_by: &mut OrderBy) -> Result<(), PlanError> {
        finish(order_by.visit(&mut Auxiliary { windows: &self.0 }))
    }
}

fn finish(flow: ControlFlow<PlanError>) -> Result<(), PlanError> {
    match flow {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn is_window_call(expr: &Expr) -> bool {
    matches!(expr, Expr::Function(function) if kind_of(&function.name).is_some())
}

/// Reads `TUMBLE(ts, size)`, `HOP(ts, slide, size)` or `SESSION(ts, gap)`.
fn group_window(kind: WindowKind, function: &Function) -> Result<Window, PlanError> {
    let ident = function.name.0.first().and_then(|part| part.as_ident());
    let span = ident.map_or_else(Span::empty, |ident| ident.span);
    let shape = match kind {
        WindowKind::Tumble => "TUMBLE(ts, size)",
        WindowKind::Hop => "HOP(ts, slide, size)",
        WindowKind::Session => "SESSION(ts, gap)",
        WindowKind::Cumulate => {
            return Err(
                PlanError::unsupported("CUMULATE in GROUP BY", Location::of(span)).hint(
                    "use the table function: FROM TABLE(CUMULATE(TABLE t, DESCRIPTOR(ts), …))",
                ),
            );
        }
    };
    let args = positional(function).unwrap_or_default();
    let (time, slide, size) = match (kind, args.as_slice()) {
        (WindowKind::Tumble | WindowKind::Session, [time, size]) => (time, None, size),
        (WindowKind::Hop, [time, slide, size]) => (time, Some(slide), size),
        _ => {
            return Err(PlanError::new(
                PlanErrorKind::InvalidWindow,
                format!("the arguments of {} do not fit", kind.sql_name()),
            )
            .hint(format!("in GROUP BY, write {shape}"))
            .at(Location::of(span)));
        }
    };
    Ok(Window {
        kind,
        span,
        time: (*time).clone(),
        size: (*size).clone(),
        slide: slide.map(|slide| (*slide).clone()),
        offset: None,
        partition_by: Vec::new(),
    })
}

fn positional(function: &Function) -> Option<Vec<&Expr>> {
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    list.args
        .iter()
        .map(|arg| match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect()
}

/// What an auxiliary function asks of its window.
enum Asked {
    Field(&'static str),
    ProcessingTime,
}

/// Reads a name such as TUMBLE_START.
fn auxiliary(function: &Function) -> Option<(WindowKind, Asked)> {
    let [only] = function.name.0.as_slice() else {
        return None;
    };
    let upper = only.as_ident()?.value.to_ascii_uppercase();
    let (window, asked) = upper.split_once('_')?;
    let kind = WindowKind::from_name(window)?;
    let asked = match asked {
        "START" => Asked::Field(WINDOW_START),
        "END" => Asked::Field(WINDOW_END),
        "ROWTIME" => Asked::Field(WINDOW_TIME),
        "PROCTIME" => Asked::ProcessingTime,
        _ => return None,
    };
    Some((kind, asked))
}

/// Whether a call is a window or one of its auxiliary functions.
pub(super) fn is_window_function(function: &Function) -> bool {
    kind_of(&function.name).is_some() || auxiliary(function).is_some()
}

/// Replaces TUMBLE_START and its like by the fields of the SELECT's window.
struct Auxiliary<'a> {
    windows: &'a [Window],
}

impl Auxiliary<'_> {
    /// A column that is just TUMBLE_START(…) is named after the function.
    fn name_column(&self, item: &mut SelectItem) {
        let SelectItem::UnnamedExpr(Expr::Function(function)) = item else {
            return;
        };
        if auxiliary(function).is_none() {
            return;
        }
        if let Some(ident) = function.name.0.first().and_then(|part| part.as_ident()) {
            let alias = Ident::with_span(ident.span, ident.value.to_ascii_lowercase());
            *item = SelectItem::ExprWithAlias {
                expr: Expr::Function(function.clone()),
                alias,
            };
        }
    }
}

impl VisitorMut for Auxiliary<'_> {
    type Break = PlanError;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<PlanError> {
        let Expr::Function(function) = expr else {
            return ControlFlow::Continue(());
        };
        let Some((kind, asked)) = auxiliary(function) else {
            return ControlFlow::Continue(());
        };
        let wanted = match group_window(kind, function) {
            Ok(wanted) => wanted,
            Err(error) => return ControlFlow::Break(error),
        };
        let same = |window: &&Window| {
            (window.kind, &window.time, &window.slide, &window.size)
                == (wanted.kind, &wanted.time, &wanted.slide, &wanted.size)
        };
        let Some(window) = self.windows.iter().find(same) else {
            return ControlFlow::Break(
                PlanError::new(
                    PlanErrorKind::InvalidWindow,
                    format!(
                        "{} needs the same {} in GROUP BY",
                        function.name,
                        kind.sql_name()
                    ),
                )
                .hint("its arguments must be those of the window in GROUP BY")
                .at(Location::of(wanted.span)),
            );
        };
        *expr = match asked {
            Asked::Field(field) => window.field(field),
            Asked::ProcessingTime => call("proctime", wanted.span, []),
        };
        ControlFlow::Continue(())
    }
}
