//! The clauses of MATCH_RECOGNIZE beside its expressions.

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::planner::RelationPlannerContext;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, SortExpr};
use levada_engine::graph::{Pattern, Skip};
use levada_language::dialect::pattern::{SUBSET, WITHIN};
use levada_language::error::{Location, PlanError, PlanErrorKind};
use levada_language::types::SqlType;
use sqlparser::ast::{
    AfterMatchSkip, BinaryOperator, EmptyMatchesMode, Expr as SqlExpr, Ident,
    MatchRecognizePattern, MatchRecognizeSymbol, OrderByExpr, RepetitionQuantifier, RowsPerMatch,
    Spanned, SymbolDefinition,
};

use crate::parser::names::pattern_variables;

/// So many variables can PERMUTE have.
const MAX_PERMUTED: usize = 5;

/// The variables of a pattern.
pub(super) struct Variables {
    /// Their names, and those of SUBSET behind them.
    pub(super) names: Vec<String>,
    /// The rows that they mean.
    pub(super) sets: Vec<u64>,
    /// How many are of the pattern itself.
    pub(super) own: usize,
}

impl Variables {
    pub(super) fn of(
        pattern: &MatchRecognizePattern,
        symbols: &[SymbolDefinition],
    ) -> Result<Self, PlanError> {
        let names: Vec<String> = pattern_variables(pattern)
            .into_iter()
            .map(|ident| ident.value.clone())
            .collect();
        let own = names.len();
        let mut variables = Variables {
            sets: (0..own)
                .map(|at| 1u64.checked_shl(at as u32).unwrap_or(0))
                .collect(),
            own,
            names,
        };
        for symbol in symbols.iter().filter(|s| s.symbol.value == SUBSET) {
            variables.subset(&symbol.definition)?;
        }
        Ok(variables)
    }

    /// `u = (a, b)`.
    fn subset(&mut self, definition: &SqlExpr) -> Result<(), PlanError> {
        let at = Location::of(definition.span());
        let wrong = || {
            PlanError::new(
                PlanErrorKind::Syntax,
                "SUBSET takes names of variables, as in SUBSET u = (a, b)",
            )
            .at(at)
        };
        let SqlExpr::BinaryOp { left, op, right } = definition else {
            return Err(wrong());
        };
        let (SqlExpr::Identifier(name), BinaryOperator::Eq) = (left.as_ref(), op) else {
            return Err(wrong());
        };
        let parts = match right.as_ref() {
            SqlExpr::Tuple(parts) => parts.iter().collect(),
            SqlExpr::Nested(part) => vec![part.as_ref()],
            _ => return Err(wrong()),
        };
        if self.find(name).is_some() {
            let message = format!("the pattern has a variable {} already", name.value);
            return Err(
                PlanError::new(PlanErrorKind::DuplicateName, message).at(Location::of(name.span))
            );
        }
        let mut set = 0;
        for part in parts {
            let SqlExpr::Identifier(ident) = part else {
                return Err(wrong());
            };
            set |= self.set(ident)?;
        }
        self.names.push(name.value.clone());
        self.sets.push(set);
        Ok(())
    }

    fn find(&self, ident: &Ident) -> Option<usize> {
        let mut names = self.names.iter();
        names.position(|name| name.eq_ignore_ascii_case(&ident.value))
    }

    /// The rows that a variable means.
    fn set(&self, ident: &Ident) -> Result<u64, PlanError> {
        let found = self.find(ident).and_then(|at| self.sets.get(at).copied());
        found.ok_or_else(|| {
            let message = format!("the pattern has no variable {}", ident.value);
            PlanError::new(PlanErrorKind::UnknownName, message)
                .detail(format!("its variables are {}", self.names.join(", ")))
                .suggest(&ident.value, self.names.iter().map(String::as_str))
                .at(Location::of(ident.span))
        })
    }

    /// The pattern over numbers.
    pub(super) fn pattern(&self, pattern: &MatchRecognizePattern) -> Result<Pattern, PlanError> {
        use MatchRecognizePattern as P;
        let all = |parts: &[P]| {
            parts
                .iter()
                .map(|part| self.pattern(part))
                .collect::<Result<_, _>>()
        };
        Ok(match pattern {
            P::Symbol(symbol) => self.symbol(symbol)?,
            P::Exclude(_) => {
                return Err(PlanError::unsupported("{- … -} in a pattern", None)
                    .hint("with ALL ROWS PER MATCH, leave rows out by WHERE and CLASSIFIER()"));
            }
            P::Permute(symbols) => self.permuted(symbols)?,
            P::Concat(parts) => Pattern::Sequence(all(parts)?),
            P::Alternation(parts) => Pattern::Alternatives(all(parts)?),
            P::Group(part) => self.pattern(part)?,
            P::Repetition(inner, quantifier) => match (inner.as_ref(), quantifier) {
                // A question mark right behind a quantifier makes it reluctant.
                (P::Repetition(inner, quantifier), RepetitionQuantifier::AtMostOne) => {
                    self.repeated(inner, quantifier, false)?
                }
                (P::Repetition(..), _) => {
                    return Err(PlanError::new(
                        PlanErrorKind::Syntax,
                        "a quantifier stands right behind another one in the pattern",
                    )
                    .hint("put what is repeated into parentheses"));
                }
                (inner, quantifier) => self.repeated(inner, quantifier, true)?,
            },
        })
    }

    fn symbol(&self, symbol: &MatchRecognizeSymbol) -> Result<Pattern, PlanError> {
        match symbol {
            MatchRecognizeSymbol::Named(ident) => {
                let found = self.find(ident).filter(|at| *at < self.own);
                let found = found.ok_or_else(|| PlanError::internal("a variable is missing"))?;
                Ok(Pattern::Variable(found))
            }
            _ => Err(PlanError::unsupported("^ and $ in a pattern", None)
                .hint("rows of a stream have no first and last one to match at")),
        }
    }

    fn repeated(
        &self,
        inner: &MatchRecognizePattern,
        quantifier: &RepetitionQuantifier,
        greedy: bool,
    ) -> Result<Pattern, PlanError> {
        use RepetitionQuantifier as Q;
        if matches!(inner, MatchRecognizePattern::Repetition(..)) {
            return Err(PlanError::new(
                PlanErrorKind::Syntax,
                "a quantifier stands right behind another one in the pattern",
            )
            .hint("put what is repeated into parentheses"));
        }
        let (least, most) = match quantifier {
            Q::ZeroOrMore => (0, None),
            Q::OneOrMore => (1, None),
            Q::AtMostOne => (0, Some(1)),
            Q::Exactly(n) => (*n, Some(*n)),
            Q::AtLeast(n) => (*n, None),
            Q::AtMost(n) => (0, Some(*n)),
            Q::Range(least, most) => (*least, Some(*most)),
        };
        if most.is_some_and(|most| most == 0 || most < least) {
            return Err(PlanError::new(
                PlanErrorKind::Syntax,
                format!("the quantifier {quantifier} of a pattern has no number of rows"),
            )
            .hint("the first number is not more than the second, and that is 1 or more"));
        }
        Ok(Pattern::Repeated {
            pattern: Box::new(self.pattern(inner)?),
            least,
            most,
            greedy,
        })
    }

    /// All orders, in that of the list.
    fn permuted(&self, symbols: &[MatchRecognizeSymbol]) -> Result<Pattern, PlanError> {
        if symbols.len() > MAX_PERMUTED {
            let what = format!("PERMUTE of more than {MAX_PERMUTED} variables");
            return Err(PlanError::unsupported(what, None));
        }
        let symbols = symbols.iter().map(|symbol| self.symbol(symbol));
        let symbols = symbols.collect::<Result<Vec<_>, _>>()?;
        let mut orders: Vec<Vec<usize>> = vec![Vec::new()];
        for _ in 0..symbols.len() {
            let longer = |order: &Vec<usize>| {
                let order = order.clone();
                let free = (0..symbols.len())
                    .filter(|at| !order.contains(at))
                    .collect::<Vec<_>>();
                let more = move |at| order.iter().copied().chain([at]).collect::<Vec<_>>();
                free.into_iter().map(more).collect::<Vec<_>>()
            };
            orders = orders.iter().flat_map(longer).collect();
        }
        let sequence = |order: Vec<usize>| {
            let parts = order.into_iter().filter_map(|at| symbols.get(at).cloned());
            Pattern::Sequence(parts.collect())
        };
        Ok(Pattern::Alternatives(
            orders.into_iter().map(sequence).collect(),
        ))
    }
}

/// PARTITION BY.
pub(super) fn partition(
    exprs: Vec<SqlExpr>,
    input: &LogicalPlan,
    context: &mut dyn RelationPlannerContext,
) -> Result<Vec<Expr>> {
    let column = |expr: SqlExpr| {
        let at = Location::of(expr.span());
        match context.sql_to_expr(expr, input.schema())? {
            column @ Expr::Column(_) => Ok(column),
            _ => Err(PlanError::unsupported("PARTITION BY an expression in MATCH_RECOGNIZE", at)
                .hint("compute it as a column in front: WITH rows AS (SELECT …, x % 10 AS part FROM t) …")
                .into()),
        }
    };
    exprs.into_iter().map(column).collect()
}

/// ORDER BY.
pub(super) fn order(
    exprs: Vec<OrderByExpr>,
    input: &LogicalPlan,
    context: &mut dyn RelationPlannerContext,
    at: Option<Location>,
) -> Result<Vec<SortExpr>> {
    if exprs.is_empty() {
        return Err(PlanError::new(
            PlanErrorKind::InvalidStatement,
            "MATCH_RECOGNIZE has no ORDER BY",
        )
        .hint("rows match in the order of a time attribute: ORDER BY ts")
        .at(at)
        .into());
    }
    let mut found = Vec::new();
    for (place, order) in exprs.into_iter().enumerate() {
        let at = Location::of(order.expr.span()).or(at);
        let ascending = order.options.asc.unwrap_or(true);
        let nulls_first = order.options.nulls_first.unwrap_or(!ascending);
        let expr = context.sql_to_expr(order.expr, input.schema())?;
        if !matches!(expr, Expr::Column(_)) {
            return Err(
                PlanError::unsupported("ORDER BY an expression in MATCH_RECOGNIZE", at)
                    .hint("compute it as a column in front, or in CREATE TABLE")
                    .into(),
            );
        }
        let data_type = expr.get_type(input.schema())?;
        if place == 0 && !matches!(data_type, DataType::Timestamp(..)) {
            let shown = SqlType::from_arrow(&data_type);
            let message = format!(
                "ORDER BY of MATCH_RECOGNIZE begins with {shown}, which is no time attribute"
            );
            return Err(PlanError::new(PlanErrorKind::InvalidStatement, message)
                .hint("begin with the column that WATERMARK FOR is about, or with one that is AS PROCTIME()")
                .at(at)
                .into());
        }
        if place == 0 && !ascending {
            return Err(PlanError::unsupported(
                "descending time in ORDER BY of MATCH_RECOGNIZE",
                at,
            )
            .hint("rows match in ascending order of time")
            .into());
        }
        found.push(expr.sort(ascending, nulls_first));
    }
    Ok(found)
}

/// ALL ROWS PER MATCH WITH UNMATCHED ROWS.
pub(super) fn check_rows(
    rows: Option<&RowsPerMatch>,
    at: Option<Location>,
) -> Result<(), PlanError> {
    match rows {
        Some(RowsPerMatch::AllRows(Some(EmptyMatchesMode::WithUnmatched))) => {
            Err(PlanError::unsupported("WITH UNMATCHED ROWS", at)
                .hint("ALL ROWS PER MATCH gives the rows of matches"))
        }
        _ => Ok(()),
    }
}

/// WITHIN, in milliseconds.
pub(super) fn within(
    symbols: &[SymbolDefinition],
    context: &mut dyn RelationPlannerContext,
) -> Result<Option<i64>> {
    let mut found = symbols.iter().filter(|s| s.symbol.value == WITHIN);
    let Some(within) = found.next() else {
        return Ok(None);
    };
    let at = Location::of(within.definition.span()).or(Location::of(within.symbol.span));
    let wrong = |problem: &str| {
        let message = format!("WITHIN {problem}");
        PlanError::new(PlanErrorKind::InvalidStatement, message)
            .hint("write a duration, such as WITHIN INTERVAL '10' MINUTE")
            .at(at)
    };
    let nothing = datafusion::common::DFSchema::empty();
    let Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(duration)), _) =
        context.sql_to_expr(within.definition.clone(), &nothing)?
    else {
        return Err(wrong("takes an interval").into());
    };
    if duration.months != 0 {
        return Err(wrong("cannot be in months or years, whose length varies").into());
    }
    let days = i64::from(duration.days).checked_mul(86_400_000);
    let all = days.and_then(|days| days.checked_add(duration.nanoseconds / 1_000_000));
    match all.filter(|ms| *ms > 0 && duration.nanoseconds % 1_000_000 == 0) {
        Some(ms) => Ok(Some(ms)),
        None => Err(wrong("is a number of whole milliseconds, more than zero").into()),
    }
}

/// AFTER MATCH SKIP.
pub(super) fn skip(
    skip: Option<AfterMatchSkip>,
    variables: &Variables,
    pattern: &Pattern,
    at: Option<Location>,
) -> Result<Skip, PlanError> {
    let skip = match skip {
        None | Some(AfterMatchSkip::PastLastRow) => Skip::PastLastRow,
        Some(AfterMatchSkip::ToNextRow) => Skip::ToNextRow,
        Some(AfterMatchSkip::ToFirst(ident)) => {
            let set = variables.set(&ident)?;
            if begins_with(pattern, set) {
                let name = ident.value;
                let message = format!(
                    "AFTER MATCH SKIP TO FIRST {name} would find the same match for ever: every match begins with {name}"
                );
                return Err(PlanError::new(PlanErrorKind::InvalidStatement, message)
                    .hint("skip TO NEXT ROW, TO LAST x, or to a variable that comes later")
                    .at(Location::of(ident.span).or(at)));
            }
            Skip::ToFirst(set)
        }
        Some(AfterMatchSkip::ToLast(ident)) => Skip::ToLast(variables.set(&ident)?),
    };
    Ok(skip)
}

/// Whether every match begins with a row of one of these variables.
fn begins_with(pattern: &Pattern, set: u64) -> bool {
    match pattern {
        Pattern::Variable(own) => set >> own & 1 == 1,
        Pattern::Sequence(parts) => parts.first().is_some_and(|part| begins_with(part, set)),
        Pattern::Alternatives(parts) => parts.iter().all(|part| begins_with(part, set)),
        Pattern::Repeated { pattern, least, .. } => *least > 0 && begins_with(pattern, set),
    }
}
