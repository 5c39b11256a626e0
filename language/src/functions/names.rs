//! The names of the scalar functions that users are promised.
//!
//! The registry knows more: DataFusion's own, which may be called but are nobody's promise, and
//! what the planner puts in place of operators and syntax.

use super::{clock, specs};

/// Functions that stand for operators and syntax, and cannot be called by what they are.
const INTERNAL: &[&str] = &[
    "cut_text",
    "not_null",
    "number_text",
    "boolean_text",
    "to_local",
    "to_instant",
    "time_text",
    "cut_time",
    "timestamp_floor",
    "timestamp_ceil",
    "array_item",
    "map_item",
    "random_below",
    "is_json",
    "json_array_of",
    "json_object_of",
    "multiset_of",
    "percentile_of",
    "array_has",
    "starts_with",
    "ends_with",
    "trunc",
    "signum",
    "pow",
];

/// Functions of DataFusion that mean here what they mean there.
const TAKEN_OVER: &[&str] = &[
    "ascii",
    "btrim",
    "char_length",
    "character_length",
    "coalesce",
    "concat_ws",
    "ifnull",
    "initcap",
    "lower",
    "ltrim",
    "nullif",
    "nvl",
    "octet_length",
    "pi",
    "replace",
    "reverse",
    "rtrim",
    "translate",
    "trim",
    "upper",
    "uuid",
];

/// Functions that the parser makes of others.
const BUILT: &[&str] = &[
    "cast",
    "e",
    "if",
    "mod",
    "position",
    "rand",
    "rand_integer",
    "row",
    "try_cast",
];

/// Aggregates that the parser makes of others.
pub const AGGREGATES: &[&str] = &[
    "approx_count_distinct",
    "collect",
    "every",
    "json_arrayagg",
    "json_objectagg",
    "listagg",
    "percentile",
    "variance",
];

/// All these names in small letters, in their order.
pub fn names() -> Vec<&'static str> {
    let own = specs().flat_map(|spec| std::iter::once(&spec.name).chain(spec.aliases));
    let lists = [TAKEN_OVER, BUILT].into_iter().flatten();
    let mut names: Vec<&str> = own
        .filter(|name| !INTERNAL.contains(name))
        .chain(lists)
        .copied()
        .chain(clock::names())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}
