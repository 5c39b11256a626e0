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
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments,
    GroupByExpr, Ident, ObjectName, OrderBy, Query, Select, SelectFlavor, SelectItem, SetExpr,
    TableAlias, TableFactor, TableWithJoins, VisitMut, VisitorMut, WildcardAdditionalOptions,
    WindowType,
};
use sqlparser::tokenizer::Span;

use super::{changelogs, count_windows, group_expressions, name_location};
use levada_language::dialect::{TABLE_ARGUMENT, call, null, number, text};
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
    let Some(kind) = kind_of(name) else {
        return Ok(None);
    };
    let span = name
        .0
        .first()
        .and_then(|part| part.as_ident())
        .map_or_else(Span::empty, |i| i.span);
    let arguments = Arguments::bind(kind, span, args)?;
    Ok(Some(arguments.derived_table(alias.clone())?))
}

/// The arguments of a window table function, each in its place.
struct Arguments<'a> {
    kind: WindowKind,
    span: Span,
    values: Vec<Option<&'a Expr>>,
}

impl<'a> Arguments<'a> {
    fn names(kind: WindowKind) -> &'static [&'static str] {
        match kind {
            WindowKind::Tumble => &["DATA", "TIMECOL", "SIZE", "OFFSET"],
            WindowKind::Hop => &["DATA", "TIMECOL", "SLIDE", "SIZE", "OFFSET"],
            WindowKind::Cumulate => &["DATA", "TIMECOL", "STEP", "SIZE", "OFFSET"],
            WindowKind::Session => &["DATA", "TIMECOL", "GAP"],
        }
    }

    fn bind(kind: WindowKind, span: Span, args: &'a [FunctionArg]) -> Result<Self, PlanError> {
        let names = Self::names(kind);
        let mut bound = Self {
            kind,
            span,
            values: vec![None; names.len()],
        };
        for (position, arg) in args.iter().enumerate() {
            let (index, value) = match arg {
                FunctionArg::Named { name, arg, .. } => {
                    let index = names
                        .iter()
                        .position(|n| name.value.eq_ignore_ascii_case(n));
                    let index = index.ok_or_else(|| bound.unknown_argument(name))?;
                    (index, arg)
                }
                FunctionArg::Unnamed(arg) => (position, arg),
                FunctionArg::ExprNamed { .. } => return Err(bound.usage()),
            };
            let FunctionArgExpr::Expr(value) = value else {
                return Err(bound.usage());
            };
            match bound.values.get_mut(index) {
                Some(slot @ None) => *slot = Some(value),
                _ => return Err(bound.usage()),
            }
        }
        Ok(bound)
    }

    fn get(&self, name: &str) -> Option<&'a Expr> {
        let index = Self::names(self.kind).iter().position(|n| *n == name)?;
        self.values.get(index).copied().flatten()
    }

    fn require(&self, name: &str) -> Result<&'a Expr, PlanError> {
        self.get(name).ok_or_else(|| self.usage())
    }

    fn usage(&self) -> PlanError {
        let shape = match self.kind {
            WindowKind::Tumble => "TUMBLE(TABLE t, DESCRIPTOR(ts), size [, offset])",
            WindowKind::Hop => "HOP(TABLE t, DESCRIPTOR(ts), slide, size [, offset])",
            WindowKind::Cumulate => "CUMULATE(TABLE t, DESCRIPTOR(ts), step, size [, offset])",
            WindowKind::Session => "SESSION(TABLE t [PARTITION BY k], DESCRIPTOR(ts), gap)",
        };
        PlanError::new(
            PlanErrorKind::InvalidWindow,
            format!("the arguments of {} do not fit", self.kind.sql_name()),
        )
        .hint(format!("write {shape}"))
        .at(Location::of(self.span))
    }

    fn unknown_argument(&self, name: &Ident) -> PlanError {
        PlanError::new(
            PlanErrorKind::InvalidWindow,
            format!("{} has no argument {}", self.kind.sql_name(), name.value),
        )
        .hint(format!(
            "its arguments are {}",
            Self::names(self.kind).join(", ")
        ))
        .at(Location::of(name.span))
    }

    fn derived_table(&self, alias: Option<TableAlias>) -> Result<TableFactor, PlanError> {
        let (source, partition_by) = self.source()?;
        let (size, slide) = match self.kind {
            WindowKind::Tumble => ("SIZE", None),
            WindowKind::Hop => ("SIZE", Some("SLIDE")),
            WindowKind::Cumulate => ("SIZE", Some("STEP")),
            WindowKind::Session => ("GAP", None),
        };
        let window = Window {
            kind: self.kind,
            span: self.span,
            time: self.time_column()?,
            size: self.require(size)?.clone(),
            slide: slide.map(|name| self.require(name)).transpose()?.cloned(),
            offset: self.get("OFFSET").cloned(),
            partition_by,
        };
        Ok(TableFactor::Derived {
            lateral: false,
            subquery: Box::new(select_with(source, window.columns(), None)),
            alias,
            sample: None,
        })
    }

    /// The table under the window, and the keys of PARTITION BY.
    fn source(&self) -> Result<(TableFactor, Vec<Expr>), PlanError> {
        match self.require("DATA")? {
            Expr::Function(function) if function.name.to_string() == TABLE_ARGUMENT => {
                let (partition_by, order_by) = match &function.over {
                    Some(WindowType::WindowSpec(spec)) => {
                        (spec.partition_by.clone(), spec.order_by.as_slice())
                    }
                    _ => (Vec::new(), &[][..]),
                };
                let at = name_location(&function.name);
                if !order_by.is_empty() {
                    return Err(PlanError::new(
                        PlanErrorKind::InvalidWindow,
                        format!("ORDER BY has no meaning in {}", self.kind.sql_name()),
                    )
                    .hint("DESCRIPTOR(ts) says which time counts")
                    .at(at));
                }
                if !partition_by.is_empty() && self.kind != WindowKind::Session {
                    return Err(PlanError::new(
                        PlanErrorKind::InvalidWindow,
                        format!("PARTITION BY has no meaning in {}", self.kind.sql_name()),
                    )
                    .hint("only SESSION windows depend on keys; group by the keys instead")
                    .at(at));
                }
                let idents = match single_argument(function) {
                    Some(Expr::Identifier(ident)) => vec![ident.clone()],
                    Some(Expr::CompoundIdentifier(idents)) => idents.clone(),
                    _ => return Err(self.usage()),
                };
                Ok((plain_table(ObjectName::from(idents)), partition_by))
            }
            Expr::Subquery(query) => {
                let derived = TableFactor::Derived {
                    lateral: false,
                    subquery: query.clone(),
                    alias: None,
                    sample: None,
                };
                Ok((derived, Vec::new()))
            }
            _ => Err(self.usage()),
        }
    }

    /// The column in DESCRIPTOR(column).
    fn time_column(&self) -> Result<Expr, PlanError> {
        let descriptor = self.require("TIMECOL")?;
        match descriptor {
            Expr::Function(function)
                if function.name.to_string().eq_ignore_ascii_case("DESCRIPTOR") =>
            {
                match single_argument(function) {
                    Some(column @ (Expr::Identifier(_) | Expr::CompoundIdentifier(_))) => {
                        Ok(column.clone())
                    }
                    _ => Err(PlanError::new(
                        PlanErrorKind::InvalidWindow,
                        "DESCRIPTOR takes the name of one column",
                    )
                    .at(name_location(&function.name))),
                }
            }
            _ => Err(self.usage()),
        }
    }
}

pub(super) fn single_argument(function: &Function) -> Option<&Expr> {
    match &function.args {
        FunctionArguments::List(FunctionArgumentList { args, .. }) => match args.as_slice() {
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))] => Some(expr),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn plain_table(name: ObjectName) -> TableFactor {
    TableFactor::Table {
        name,
        alias: None,
        args: None,
        with_hints: vec![],
        version: None,
        with_ordinality: false,
        partitions: vec![],
        json_path: None,
        sample: None,
        index_hints: vec![],
    }
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
