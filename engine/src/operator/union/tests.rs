#![allow(clippy::unwrap_used)]
use super::*;
use crate::operator::testing::{batch, check, schema};
use crate::operator::{Operator, Output};

#[test]
fn all_inputs_come_out_under_one_schema() {
    let (left, right) = (schema("a BIGINT"), schema("b BIGINT"));
    let mut union = Union::new(&[left.clone(), right.clone()], &left).unwrap();
    let mut out = Output::default();
    union
        .process(1, batch(&right, "-D | 1"), 0, &mut out)
        .unwrap();
    union
        .process(0, batch(&left, "+I | 2"), 0, &mut out)
        .unwrap();
    check(&mut out, "-D | 1\n+I | 2");
}

#[test]
fn other_types_are_refused() {
    assert!(
        Union::new(
            &[schema("a BIGINT"), schema("a STRING")],
            &schema("a BIGINT")
        )
        .is_err()
    );
}
