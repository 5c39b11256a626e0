#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use datafusion::logical_expr::Operator as Op;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{binary, col, lit};

use super::*;
use crate::expression::encode;
use crate::operator::testing::{batch, check, context, schema};
use crate::operator::{Operator, Output};

fn calc(
    input: &SchemaRef,
    output: &SchemaRef,
    filter: Option<Arc<dyn PhysicalExpr>>,
    projection: Option<Vec<Arc<dyn PhysicalExpr>>>,
) -> Calc {
    let spec = CalcSpec {
        filter: filter.map(|f| encode(&f).unwrap()),
        projection: projection.map(|p| p.iter().map(|e| encode(e).unwrap()).collect()),
    };
    Calc::new(&spec, input, output, &context()).unwrap()
}

#[test]
fn filters_then_projects_and_keeps_kinds() {
    let input = schema("a BIGINT, b STRING");
    let output = schema("b STRING, twice BIGINT");
    let filter = binary(col("a", &input).unwrap(), Op::Gt, lit(1i64), &input).unwrap();
    let twice = binary(col("a", &input).unwrap(), Op::Multiply, lit(2i64), &input).unwrap();
    let projection = vec![col("b", &input).unwrap(), twice];
    let mut calc = calc(&input, &output, Some(filter), Some(projection));
    let mut out = Output::default();
    let rows = "+I | 1 | x
                -U | 2 | y
                +U | 3 | NULL
                +I | NULL | z";
    calc.process(0, batch(&input, rows), 0, &mut out).unwrap();
    check(
        &mut out,
        "-U | y | 4
         +U | NULL | 6",
    );
}

#[test]
fn half_an_update_that_passes_alone_comes_or_goes() {
    let input = schema("a BIGINT");
    let filter = binary(col("a", &input).unwrap(), Op::Lt, lit(5i64), &input).unwrap();
    let mut calc = calc(&input, &input, Some(filter), None);
    let mut out = Output::default();
    let rows = "+I | 9
                -U | 9
                +U | 1
                -U | 1
                +U | 2
                -U | 2
                +U | 9
                -D | 9";
    calc.process(0, batch(&input, rows), 0, &mut out).unwrap();
    check(
        &mut out,
        "+I | 1
         -U | 1
         +U | 2
         -D | 2",
    );
}

#[test]
fn no_column_is_a_legal_projection() {
    let input = schema("a BIGINT");
    let output = Arc::new(arrow::datatypes::Schema::empty());
    let mut calc = calc(&input, &output, None, Some(vec![]));
    let mut out = Output::default();
    calc.process(0, batch(&input, "+I | 1\n+I | 2"), 0, &mut out)
        .unwrap();
    assert_eq!(out.drain().map(|b| b.num_rows()).sum::<usize>(), 2);
}

#[test]
fn rows_that_fail_the_filter_are_not_computed() {
    let input = schema("a BIGINT");
    let output = schema("q BIGINT");
    let filter = binary(col("a", &input).unwrap(), Op::NotEq, lit(0i64), &input).unwrap();
    let quotient = binary(lit(6i64), Op::Divide, col("a", &input).unwrap(), &input).unwrap();
    let mut calc = calc(&input, &output, Some(filter), Some(vec![quotient]));
    let mut out = Output::default();
    calc.process(0, batch(&input, "+I | 0\n+I | 2"), 0, &mut out)
        .unwrap();
    check(&mut out, "+I | 3");
}
