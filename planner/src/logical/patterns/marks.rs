//! The expressions of MATCH_RECOGNIZE as DataFusion's SQL planner can read them.
//!
//! Every column gets a qualifier: that of its variable, or [`ROW`]. Functions that only a pattern has become calls of
//! functions of their own, which are never evaluated.

use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    TypeSignature, Volatility,
};
use levada_language::dialect::{number, pattern};
use levada_language::error::{Location, PlanError, PlanErrorKind};
use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Spanned,
    VisitMut, VisitorMut,
};

/// The qualifier of columns without a variable.
pub(super) const ROW: &str = "__pattern_row";
/// The beginning of the qualifiers of variables, and of the functions.
pub(super) const PREFIX: &str = "__pattern_";

pub(super) const FIRST: &str = "__pattern_first";
pub(super) const LAST: &str = "__pattern_last";
pub(super) const PREV: &str = "__pattern_prev";
pub(super) const NEXT: &str = "__pattern_next";
pub(super) const CLASSIFIER: &str = "__pattern_classifier";
pub(super) const MATCH_NUMBER: &str = "__pattern_match_number";
pub(super) const ROWTIME: &str = "__pattern_rowtime";
/// COUNT(*) and COUNT(A.*): the argument is the number of the variable, -1 for all rows.
pub(super) const COUNT_ROWS: &str = "__pattern_count_rows";

/// What the functions are called in SQL.
const FUNCTIONS: &[(&str, &str)] = &[
    ("FIRST", FIRST),
    ("LAST", LAST),
    ("PREV", PREV),
    ("NEXT", NEXT),
    ("CLASSIFIER", CLASSIFIER),
    ("MATCH_NUMBER", MATCH_NUMBER),
    ("MATCH_ROWTIME", ROWTIME),
];

/// The qualifier of a variable.
pub(super) fn qualifier(variable: usize) -> String {
    format!("{PREFIX}{variable}")
}

/// The variable of a qualifier; `None` for [`ROW`].
pub(super) fn variable_of(qualifier: &str) -> Option<usize> {
    qualifier.strip_prefix(PREFIX)?.parse().ok()
}

/// What names mean in the expressions of a pattern.
pub(super) struct Names<'a> {
    /// The variables, and those of SUBSET behind them.
    pub(super) variables: &'a [String],
    /// The columns of the input.
    pub(super) columns: &'a [String],
    /// The column of the order that is time.
    pub(super) time: &'a str,
}

impl Names<'_> {
    /// Prepares an expression.
    ///
    /// # Errors
    /// It names what there is not, or has a subquery or a function with OVER.
    pub(super) fn mark(&self, mut expr: Expr) -> Result<Expr, PlanError> {
        match expr.visit(&mut Marker { names: self }) {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(expr),
        }
    }

    pub(super) fn variable(&self, name: &str) -> Option<usize> {
        let exact = self.variables.iter().position(|own| own == name);
        let any_case = |own: &String| own.to_lowercase() == name.to_lowercase();
        exact.or_else(|| self.variables.iter().position(any_case))
    }

    fn unknown(&self, ident: &Ident) -> PlanError {
        let variables = self.variables.iter().map(String::as_str);
        let kind = PlanErrorKind::UnknownName;
        PlanError::new(kind, format!("the pattern has no variable {}", ident.value))
            .detail(format!("its variables are {}", self.variables.join(", ")))
            .suggest(&ident.value, variables)
            .at(Location::of(ident.span))
    }

    fn is_column(&self, ident: &Ident) -> bool {
        self.columns.contains(&ident.value)
    }

    fn path(&self, idents: &mut Vec<Ident>) -> Result<(), PlanError> {
        let Some(first) = idents.first().cloned() else {
            return Ok(());
        };
        if first.value.starts_with(PREFIX) {
            return Ok(());
        }
        if idents.len() > 1
            && let Some(variable) = self.variable(&first.value)
        {
            if let Some(column) = idents.get(1).filter(|column| !self.is_column(column)) {
                return Err(unknown_column(column, self.columns));
            }
            if let Some(own) = idents.first_mut() {
                own.value = qualifier(variable);
            }
            return Ok(());
        }
        if !self.is_column(&first) {
            return Err(match idents.len() {
                1 => unknown_column(&first, self.columns),
                _ => self.unknown(&first),
            });
        }
        idents.insert(0, Ident::with_span(first.span, ROW));
        Ok(())
    }

    fn function(&self, function: &mut Function) -> Result<(), PlanError> {
        let at = Location::of(function.name.span());
        if function.over.is_some() {
            return Err(PlanError::unsupported(
                "a function with OVER in a pattern",
                at,
            ));
        }
        let name = function.name.to_string().to_ascii_uppercase();
        let span = function.name.span();
        if name == "MATCH_PROCTIME" {
            function.name = ObjectName::from(vec![Ident::with_span(span, "PROCTIME")]);
            return Ok(());
        }
        if name == "COUNT" {
            return self.count(function);
        }
        let Some((_, mark)) = FUNCTIONS.iter().find(|(own, _)| *own == name) else {
            return Ok(());
        };
        function.name = ObjectName::from(vec![Ident::with_span(span, *mark)]);
        if *mark == ROWTIME {
            let time = [ROW, self.time].map(|part| Ident::with_span(span, part));
            let time = Expr::CompoundIdentifier(time.to_vec());
            set_argument(function, time);
        }
        Ok(())
    }

    /// COUNT(*) and COUNT(A.*).
    fn count(&self, function: &mut Function) -> Result<(), PlanError> {
        let FunctionArguments::List(list) = &function.args else {
            return Ok(());
        };
        let variable = match list.args.as_slice() {
            [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)] => -1,
            [FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(name))] => {
                let ident = name.0.last().and_then(|part| part.as_ident());
                let Some(ident) = ident else { return Ok(()) };
                let found = self.variable(&ident.value);
                found.ok_or_else(|| self.unknown(ident))? as i64
            }
            _ => return Ok(()),
        };
        if function.filter.is_some() || list.duplicate_treatment.is_some() {
            return Ok(());
        }
        let span = function.name.span();
        function.name = ObjectName::from(vec![Ident::with_span(span, COUNT_ROWS)]);
        set_argument(function, number(variable, span));
        Ok(())
    }
}

fn unknown_column(ident: &Ident, columns: &[String]) -> PlanError {
    let kind = PlanErrorKind::UnknownColumn;
    PlanError::new(kind, format!("column {} does not exist", ident.value))
        .suggest(&ident.value, columns.iter().map(String::as_str))
        .at(Location::of(ident.span))
}

fn set_argument(function: &mut Function, argument: Expr) {
    if let FunctionArguments::List(list) = &mut function.args {
        list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))];
    }
}

struct Marker<'a, 'b> {
    names: &'a Names<'b>,
}

impl VisitorMut for Marker<'_, '_> {
    type Break = PlanError;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<PlanError> {
        let result = match expr {
            Expr::Identifier(ident) => {
                let mut path = vec![ident.clone()];
                let result = self.names.path(&mut path);
                *expr = Expr::CompoundIdentifier(path);
                result
            }
            Expr::CompoundIdentifier(path) => self.names.path(path),
            Expr::Function(function) => self.names.function(function),
            Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => {
                let at = Location::of(expr.span());
                Err(PlanError::unsupported("a subquery in a pattern", at))
            }
            _ => Ok(()),
        };
        match result {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// A function that only stands for what it says, by its name.
pub(in crate::logical) fn function(name: &str) -> Option<Arc<ScalarUDF>> {
    static ALL: LazyLock<Vec<Arc<ScalarUDF>>> = LazyLock::new(|| {
        let names = FUNCTIONS.iter().map(|(_, mark)| *mark);
        let names = names.chain([COUNT_ROWS, pattern::FINAL, pattern::RUNNING]);
        names
            .map(|name| Arc::new(ScalarUDF::new_from_impl(Mark::new(name))))
            .collect()
    });
    ALL.iter().find(|own| own.name() == name).cloned()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Mark {
    name: &'static str,
    signature: Signature,
}

impl Mark {
    fn new(name: &'static str) -> Self {
        let arguments = vec![TypeSignature::Nullary, TypeSignature::VariadicAny];
        Mark {
            name,
            signature: Signature::one_of(arguments, Volatility::Volatile),
        }
    }

    fn own_type(&self, first: Option<&DataType>) -> Result<DataType> {
        match (self.name, first) {
            (CLASSIFIER, None) => Ok(DataType::Utf8),
            (MATCH_NUMBER, None) | (COUNT_ROWS, Some(_)) => Ok(DataType::Int64),
            (CLASSIFIER | MATCH_NUMBER, Some(_)) => Err(self.malformed("no argument")),
            (_, Some(first)) => Ok(first.clone()),
            (_, None) => Err(self.malformed("a column")),
        }
    }

    fn malformed(&self, takes: &str) -> datafusion::error::DataFusionError {
        let shown = FUNCTIONS.iter().find(|(_, mark)| *mark == self.name);
        let shown = shown.map_or("this function", |(shown, _)| shown);
        PlanError::new(
            PlanErrorKind::InvalidStatement,
            format!("{shown} takes {takes}"),
        )
        .into()
    }
}

impl ScalarUDFImpl for Mark {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.own_type(types.first())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let first = args.arg_fields.first().map(|field| field.data_type());
        Ok(Arc::new(Field::new(self.name, self.own_type(first)?, true)))
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Err(PlanError::internal("a function of a pattern was left unplanned").into())
    }
}
