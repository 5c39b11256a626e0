//! Arrays as sets, and sorted.

use std::cmp::Ordering;
use std::collections::HashSet;

use arrow::array::{Array, ArrayRef};
use arrow::compute::concat;
use arrow::row::{Row, Rows};
use datafusion::common::Result;

use super::items::{Lists, comparable};
use super::lists::Gathering;
use crate::functions::scalar::{Call, Values};

/// ARRAY_DISTINCT(array): each element once, where it came first.
pub(super) fn array_distinct(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call, 0)?;
    let rows = comparable(lists.elements().as_ref())?;
    let mut seen = HashSet::new();
    let mut result = Gathering::new(call.rows());
    for row in 0..call.rows() {
        seen.clear();
        let seen = &mut seen;
        let distinct = lists
            .range(row)
            .map(|range| range.filter(|index| seen.insert(rows.row(*index))));
        result.row(distinct)?;
    }
    result.finish(call, lists.elements())
}

/// ARRAY_UNION(a, b): what is in either, each element once.
pub(super) fn array_union(call: &Call<'_>) -> Result<ArrayRef> {
    of_two(call, |a, b, rows| {
        let mut seen = HashSet::new();
        let both = a.iter().chain(b);
        both.filter(|index| seen.insert(rows.row(**index)))
            .copied()
            .collect()
    })
}

/// ARRAY_EXCEPT(a, b): what is in `a` but not in `b`, each element once.
pub(super) fn array_except(call: &Call<'_>) -> Result<ArrayRef> {
    of_two(call, |a, b, rows| {
        let mut seen: HashSet<Row<'_>> = b.iter().map(|index| rows.row(*index)).collect();
        let left = a.iter().filter(|index| seen.insert(rows.row(**index)));
        left.copied().collect()
    })
}

/// ARRAY_INTERSECT(a, b): what is in both, each element once.
pub(super) fn array_intersect(call: &Call<'_>) -> Result<ArrayRef> {
    of_two(call, |a, b, rows| {
        let mut common: HashSet<Row<'_>> = b.iter().map(|index| rows.row(*index)).collect();
        let both = a.iter().filter(|index| common.remove(&rows.row(**index)));
        both.copied().collect()
    })
}

/// Elements of one array, of another, and all as bytes.
type Choice = fn(&[usize], &[usize], &Rows) -> Vec<usize>;

fn of_two(call: &Call<'_>, choose: Choice) -> Result<ArrayRef> {
    let (a, b) = (Lists::of(call, 0)?, Lists::of(call, 1)?);
    let pool = concat(&[a.elements().as_ref(), b.elements().as_ref()])?;
    let rows = comparable(&pool)?;
    let first = a.elements().len();
    let mut result = Gathering::new(call.rows());
    for row in 0..call.rows() {
        let both = a.range(row).zip(b.range(row));
        result.row(both.map(|(a, b)| {
            let a: Vec<usize> = a.collect();
            let b: Vec<usize> = b.map(|index| first + index).collect();
            choose(&a, &b, &rows)
        }))?;
    }
    result.finish(call, &pool)
}

/// ARRAY_SORT(array [, ascending [, nulls first]]): ascending with NULLs first, and descending
/// with NULLs last, unless it is said.
pub(super) fn array_sort(call: &Call<'_>) -> Result<ArrayRef> {
    let lists = Lists::of(call, 0)?;
    let rows = comparable(lists.elements().as_ref())?;
    let nulls = lists.elements().logical_nulls();
    let is_null = |index: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(index));
    let ascending = match call.len() > 1 {
        true => call.booleans(1)?,
        false => Values::Constant(Some(true)),
    };
    let nulls_first = match call.len() > 2 {
        true => Some(call.booleans(2)?),
        false => None,
    };
    let mut result = Gathering::new(call.rows());
    for row in 0..call.rows() {
        let up = ascending.get(row);
        let first = match &nulls_first {
            Some(first) => first.get(row),
            None => up,
        };
        let sorted = lists
            .range(row)
            .zip(up)
            .zip(first)
            .map(|((range, up), first)| {
                let mut indices: Vec<usize> = range.collect();
                indices.sort_by(|a, b| match (is_null(*a), is_null(*b)) {
                    (true, true) => Ordering::Equal,
                    (true, false) if first => Ordering::Less,
                    (false, true) if !first => Ordering::Less,
                    (true, false) | (false, true) => Ordering::Greater,
                    _ if up => rows.row(*a).cmp(&rows.row(*b)),
                    _ => rows.row(*b).cmp(&rows.row(*a)),
                });
                indices
            });
        result.row(sorted)?;
    }
    result.finish(call, lists.elements())
}
