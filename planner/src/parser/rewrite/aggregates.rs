//! Aggregates that are others underneath.
//!
//! Most of them are functions of all values of a group: `LISTAGG(x)` is `array_join` of `ARRAY_AGG(x)`. So there is
//! one aggregate to keep values, in batch mode and on streams, and of several over the same values it is computed once.

use sqlparser::ast::{
    BinaryOperator, CaseWhen, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentClause, FunctionArguments, Ident, NullTreatment, ObjectName,
    helpers::attached_token::AttachedToken,
};
use sqlparser::tokenizer::Span;

use levada_language::dialect::{binary, call, null, text};
use levada_language::error::{Location, PlanError, PlanErrorKind};

/// What stands in place of an aggregate, whose arguments have been rewritten; `None` if it stays, in which case it
/// may have been changed in place.
pub(super) fn rewrite(
    name: &str,
    function: &mut Function,
    span: Span,
) -> Result<Option<Expr>, PlanError> {
    let Some(args) = arguments(function) else {
        return Ok(None);
    };
    match (name, args.as_slice()) {
        ("FIRST_VALUE" | "LAST_VALUE", [_]) if function.over.is_none() => {
            end(name, function, span)?;
        }
        ("ARRAY_AGG", [value]) => return array(function, span, value),
        ("LISTAGG", [value, rest @ ..]) if rest.len() <= 1 => {
            let separator = rest.first().cloned();
            let separator = separator.unwrap_or_else(|| text(",", span));
            let values = collected(function, span, value.clone(), &[value]);
            return Ok(Some(call("array_join", span, [values, separator])));
        }
        ("COLLECT", [value]) => {
            let values = collected(function, span, value.clone(), &[value]);
            return Ok(Some(call("multiset_of", span, [values])));
        }
        ("PERCENTILE", [value, fraction]) => {
            let values = collected(function, span, value.clone(), &[value]);
            let args = [values, fraction.clone()];
            return Ok(Some(call("percentile_of", span, args)));
        }
        ("PERCENTILE", [value, fraction, frequency]) => {
            let pair = call("struct", span, [value.clone(), frequency.clone()]);
            let values = collected(function, span, pair, &[value, frequency]);
            let args = [values, fraction.clone()];
            return Ok(Some(call("percentile_of", span, args)));
        }
        ("JSON_ARRAYAGG", [on_null, value, kind]) => {
            let values = collected(function, span, value.clone(), &[]);
            let args = [on_null.clone(), values, kind.clone()];
            return Ok(Some(call("json_array_of", span, args)));
        }
        ("JSON_OBJECTAGG", [on_null, key, value, kind]) => {
            let pair = call("struct", span, [key.clone(), value.clone()]);
            let values = collected(function, span, pair, &[]);
            let args = [on_null.clone(), values, kind.clone()];
            return Ok(Some(call("json_object_of", span, args)));
        }
        ("COUNT", [_, _, ..]) => become_call(function, span, "count", several(&args, span)),
        ("APPROX_COUNT_DISTINCT", [_, ..]) => {
            become_call(function, span, "count", several(&args, span));
            if let FunctionArguments::List(list) = &mut function.args {
                list.duplicate_treatment = Some(DuplicateTreatment::Distinct);
            }
        }
        ("BOOL_AND" | "EVERY", [value]) => become_call(function, span, "min", boolean(value, span)),
        ("BOOL_OR" | "SOME", [value]) => become_call(function, span, "max", boolean(value, span)),
        ("VARIANCE", [value]) => become_call(function, span, "var_samp", value.clone()),
        // Batch mode has no standard deviation of distinct values, but their variance.
        ("STDDEV" | "STDDEV_SAMP" | "STDDEV_POP", [value]) if is_distinct(function) => {
            let variance = match name {
                "STDDEV_POP" => "var_pop",
                _ => "var_samp",
            };
            become_call(function, span, variance, value.clone());
            let variance = Expr::Function(function.clone());
            return Ok(Some(call("sqrt", span, [variance])));
        }
        _ => check_count(name, args.len(), span)?,
    }
    Ok(None)
}

fn is_distinct(function: &Function) -> bool {
    match &function.args {
        FunctionArguments::List(list) => {
            list.duplicate_treatment == Some(DuplicateTreatment::Distinct)
        }
        _ => false,
    }
}

/// Refuses a number of arguments that is none of the aggregate's.
fn check_count(name: &str, given: usize, span: Span) -> Result<(), PlanError> {
    let shown = match name {
        "LISTAGG" => "LISTAGG(text [, separator])",
        "COLLECT" => "COLLECT(value)",
        "PERCENTILE" => "PERCENTILE(number, fraction [, frequency])",
        "APPROX_COUNT_DISTINCT" => "APPROX_COUNT_DISTINCT(value)",
        _ => return Ok(()),
    };
    Err(PlanError::new(
        PlanErrorKind::InvalidStatement,
        format!("{name} does not take {given} arguments"),
    )
    .hint(format!("write {shown}"))
    .at(Location::of(span)))
}

/// The arguments of a call, if they are expressions by position.
fn arguments(function: &Function) -> Option<Vec<Expr>> {
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let expr = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    };
    list.args.iter().map(expr).collect()
}

/// FIRST_VALUE and LAST_VALUE as aggregates pass NULLs over.
fn end(name: &str, function: &mut Function, span: Span) -> Result<(), PlanError> {
    let refused = |what: &str, hint: &str| {
        let what = format!("{name} {what} as an aggregate");
        Err(PlanError::unsupported(what, Location::of(span)).hint(hint))
    };
    if take_null_treatment(function) == Some(NullTreatment::RespectNulls) {
        let hint = "as an aggregate it passes NULLs over; to count them, use ARRAY_AGG, or a row of which the value is a field";
        return refused("with RESPECT NULLS", hint);
    }
    if let FunctionArguments::List(list) = &mut function.args
        && list.duplicate_treatment.take() == Some(DuplicateTreatment::Distinct)
        && name == "LAST_VALUE"
    {
        return refused("with DISTINCT", "leave DISTINCT out");
    }
    function.null_treatment = Some(NullTreatment::IgnoreNulls);
    Ok(())
}

/// ARRAY_AGG, of which IGNORE NULLS is a condition.
fn array(function: &mut Function, span: Span, value: &Expr) -> Result<Option<Expr>, PlanError> {
    match take_null_treatment(function) {
        Some(NullTreatment::IgnoreNulls) => {
            Ok(Some(collected(function, span, value.clone(), &[value])))
        }
        _ => Ok(None),
    }
}

/// What a call says of NULLs, which it does no longer.
fn take_null_treatment(function: &mut Function) -> Option<NullTreatment> {
    let mut found = function.null_treatment.take();
    if let FunctionArguments::List(list) = &mut function.args {
        list.clauses.retain(|clause| match clause {
            FunctionArgumentClause::IgnoreOrRespectNulls(treatment) => {
                found = Some(*treatment);
                false
            }
            _ => true,
        });
    }
    found
}

/// All values of the call's rows in which none of `present` is NULL.
fn collected(function: &Function, span: Span, value: Expr, present: &[&Expr]) -> Expr {
    let mut all = function.clone();
    take_null_treatment(&mut all);
    let conditions = present
        .iter()
        .map(|expr| Expr::IsNotNull(Box::new(Expr::Nested(Box::new((*expr).clone())))));
    let own = all
        .filter
        .take()
        .map(|filter| Expr::Nested(Box::new(*filter)));
    let all_of = own
        .into_iter()
        .chain(conditions)
        .reduce(|a, b| binary(a, BinaryOperator::And, b));
    all.filter = all_of.map(Box::new);
    become_call(&mut all, span, "array_agg", value);
    Expr::Function(all)
}

/// Makes a call one of another function, of one argument.
fn become_call(function: &mut Function, span: Span, name: &str, value: Expr) {
    function.name = ObjectName::from(vec![Ident::with_span(span, name)]);
    if let FunctionArguments::List(list) = &mut function.args {
        list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(value))];
    }
}

/// Several values as one, which is NULL if one of them is.
fn several(values: &[Expr], span: Span) -> Expr {
    let [_, _, ..] = values else {
        return values.first().cloned().unwrap_or_else(|| null(span));
    };
    let conditions = values
        .iter()
        .map(|value| Expr::IsNotNull(Box::new(Expr::Nested(Box::new(value.clone())))));
    let present = conditions.reduce(|a, b| binary(a, BinaryOperator::And, b));
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen {
            condition: present.unwrap_or_else(|| null(span)),
            result: call("struct", span, values.iter().cloned()),
        }],
        else_result: None,
    }
}

/// A value that must be BOOLEAN.
fn boolean(value: &Expr, span: Span) -> Expr {
    let truth = sqlparser::ast::Value::Boolean(true).with_span(span);
    let value = Expr::Nested(Box::new(value.clone()));
    binary(value, BinaryOperator::And, Expr::Value(truth))
}
