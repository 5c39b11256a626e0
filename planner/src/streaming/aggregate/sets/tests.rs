//! The ids of sets.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use datafusion::logical_expr::{Aggregate, Expr, GroupingSet, LogicalPlanBuilder, col, lit};

use super::Sets;

fn sets(set: GroupingSet) -> Sets {
    let row = vec![vec![lit(1i64), lit(2i64), lit(3i64)]];
    let input = LogicalPlanBuilder::values(row).unwrap().build().unwrap();
    let keys = vec![Expr::GroupingSet(set)];
    let aggregate = Aggregate::try_new(Arc::new(input), keys, vec![]).unwrap();
    Sets::of(&aggregate).unwrap().unwrap()
}

fn columns() -> Vec<Expr> {
    vec![col("column1"), col("column2"), col("column3")]
}

#[test]
fn bits_say_which_columns_a_set_does_not_have() {
    assert_eq!(sets(GroupingSet::Rollup(columns())).ids, [0, 1, 3, 7]);
    let mut cube = sets(GroupingSet::Cube(columns())).ids;
    cube.sort_unstable();
    assert_eq!(cube, (0..8).collect::<Vec<u64>>());
    let listed = vec![vec![col("column2")], columns(), vec![col("column1")]];
    // The first column is the one that is named first.
    assert_eq!(sets(GroupingSet::GroupingSets(listed)).bits, [4, 2, 1]);
}

#[test]
fn sets_that_are_equal_have_ids_of_their_own() {
    let (a, b) = (|| vec![col("column1")], || vec![col("column2")]);
    let listed = vec![a(), b(), a(), vec![], a(), vec![]];
    let found = sets(GroupingSet::GroupingSets(listed));
    assert_eq!(found.ids, [1, 2, 5, 3, 9, 7]);
    assert_eq!(found.split(), (vec![1, 2, 5, 9], vec![3, 7]));
}

#[test]
fn a_key_is_always_there_if_all_sets_have_it() {
    let listed = vec![columns(), vec![col("column1"), col("column3")]];
    let found = sets(GroupingSet::GroupingSets(listed));
    let always = |sets: &Sets, count| (0..count).map(|k| sets.always(k)).collect::<Vec<_>>();
    assert_eq!(always(&found, 3), [true, false, true]);
    assert_eq!(always(&found.with_keys(&[1, 2]), 2), [false, true]);
}
