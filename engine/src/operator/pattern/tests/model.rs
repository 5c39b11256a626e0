//! Random patterns over random rows against a matcher that tries one way after the other.

use std::cell::Cell;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::operator::testing::lines;
use crate::operator::testing::model::assert_same;

/// So many rows are tried for one run.
const PATIENCE: u32 = 1_000_000;
const VARIABLES: usize = 4;
const NAMES: [&str; VARIABLES] = ["A", "B", "C", "Z"];

#[derive(Debug, Clone, Copy)]
struct Row {
    key: i64,
    ms: i64,
    value: i64,
}

/// A condition `left op right`, with its reference or number.
#[derive(Debug, Clone, Copy)]
struct Rule {
    left: Reference,
    op: Op,
    right: Option<Reference>,
    number: i64,
}

/// Rows of a partition, in order, of which some are mapped from `start` on.
struct Mapped<'a> {
    rows: &'a [Row],
    start: usize,
    variables: &'a [usize],
}

impl Mapped<'_> {
    /// The positions of the rows of some variables, up to the one at `until` of the match.
    fn of(&self, set: u64, until: usize) -> Vec<usize> {
        let places = 0..=until;
        let own = places.filter(|at| set >> self.variables[*at] & 1 == 1);
        own.map(|at| self.start + at).collect()
    }

    fn value(&self, reference: Reference, until: usize, number: usize) -> Option<String> {
        let all = self.variables.len() - 1;
        match reference {
            Reference::Row {
                column,
                variables,
                first,
                offset,
                shift,
                running,
            } => {
                let own = self.of(variables, if running { until } else { all });
                let offset = offset as usize;
                let at = match first {
                    true => own.get(offset),
                    false => own.iter().rev().nth(offset),
                };
                let row = self.rows.get(at?.checked_add_signed(shift as isize)?)?;
                Some(match column {
                    K => row.key.to_string(),
                    T => chrono_text(row.ms),
                    _ => row.value.to_string(),
                })
            }
            Reference::Aggregate {
                function,
                variables,
                running,
                ..
            } => {
                let own = self.of(variables, if running { until } else { all });
                let values = own.iter().map(|at| self.rows[*at].value);
                match function {
                    AggregateFunction::Count => Some(own.len().to_string()),
                    _ if own.is_empty() => None,
                    AggregateFunction::Sum => Some(values.sum::<i64>().to_string()),
                    AggregateFunction::Min => values.min().map(|v| v.to_string()),
                    _ => values.max().map(|v| v.to_string()),
                }
            }
            Reference::Classifier => Some(NAMES[self.variables[until]].to_string()),
            Reference::MatchNumber => Some(number.to_string()),
        }
    }

    fn fulfils(&self, rule: &Rule) -> bool {
        let until = self.variables.len() - 1;
        let number = |reference| {
            let value = self.value(reference, until, 0)?;
            value.parse::<i64>().ok()
        };
        let right = match rule.right {
            Some(right) => number(right),
            None => Some(rule.number),
        };
        match (number(rule.left), right) {
            (Some(left), Some(right)) => match rule.op {
                Op::Lt => left < right,
                Op::Gt => left > right,
                Op::GtEq => left >= right,
                _ => left == right,
            },
            _ => false,
        }
    }
}

/// A way through a pattern: what comes behind it is tried for each of its ends, the preferred one first.
struct Search<'a> {
    rows: &'a [Row],
    start: usize,
    rules: &'a [Option<Rule>],
    within_ms: Option<i64>,
    /// How many rows may be tried yet: an ambiguous pattern has more ways than anybody can try.
    patience: &'a Cell<u32>,
}

type Then<'t> = &'t mut dyn FnMut(&mut Vec<usize>) -> bool;

impl Search<'_> {
    fn takes(&self, variable: usize, mapped: &[usize]) -> bool {
        let Some(left) = self.patience.get().checked_sub(1) else {
            return false;
        };
        self.patience.set(left);
        let at = self.start + mapped.len() - 1;
        let Some(row) = self.rows.get(at) else {
            return false;
        };
        let far = row.ms - self.rows[self.start].ms;
        if self.within_ms.is_some_and(|within| far >= within) && at > self.start {
            return false;
        }
        let all = Mapped {
            rows: self.rows,
            start: self.start,
            variables: mapped,
        };
        self.rules[variable].is_none_or(|rule| all.fulfils(&rule))
    }

    fn ways(&self, pattern: &Pattern, mapped: &mut Vec<usize>, then: Then<'_>) -> bool {
        match pattern {
            Pattern::Variable(variable) => {
                mapped.push(*variable);
                let found = self.takes(*variable, mapped) && then(mapped);
                if !found {
                    mapped.pop();
                }
                found
            }
            Pattern::Sequence(parts) => self.sequence(parts, mapped, then),
            Pattern::Alternatives(parts) => parts.iter().any(|p| self.ways(p, mapped, then)),
            Pattern::Repeated {
                pattern,
                least,
                most,
                greedy,
            } => self.times(pattern, (*least, *most, *greedy), 0, mapped, then),
        }
    }

    fn sequence(&self, parts: &[Pattern], mapped: &mut Vec<usize>, then: Then<'_>) -> bool {
        match parts {
            [] => then(mapped),
            [first, rest @ ..] => self.ways(first, mapped, &mut |mapped| {
                self.sequence(rest, mapped, then)
            }),
        }
    }

    fn times(
        &self,
        pattern: &Pattern,
        how: (u32, Option<u32>, bool),
        done: u32,
        mapped: &mut Vec<usize>,
        then: Then<'_>,
    ) -> bool {
        let (least, most, greedy) = how;
        // Limited repetitions are written out; others do not go on behind a turn without a row.
        let more = |mapped: &mut Vec<usize>, then: Then<'_>| {
            let before = mapped.len();
            most.is_none_or(|most| done < most)
                && self.ways(pattern, mapped, &mut |mapped| {
                    (mapped.len() > before || done < least || most.is_some())
                        && self.times(pattern, how, done + 1, mapped, then)
                })
        };
        match greedy {
            true => more(mapped, then) || (done >= least && then(mapped)),
            false => (done >= least && then(mapped)) || more(mapped, then),
        }
    }
}

/// What comes out of rows in the order of their arrival.
/// The rows that must come out, in any order; none if there are too many ways to try.
fn expected(spec: &PatternSpec, rules: &[Option<Rule>], rows: &[Row]) -> Option<Vec<String>> {
    let patience = Cell::new(PATIENCE);
    let mut found = vec![];
    for key in 0..3 {
        let whole = spec.partition_by.is_empty();
        let own = rows
            .iter()
            .filter(|row| whole && key == 0 || !whole && row.key == key);
        let mut own: Vec<Row> = own.copied().collect();
        if !spec.order_by.is_empty() {
            own.sort_by_key(|row| row.ms);
        }
        let (mut start, mut number) = (0, 0);
        while start < own.len() {
            let search = Search {
                rows: &own,
                start,
                rules,
                within_ms: spec.within_ms.filter(|_| !spec.order_by.is_empty()),
                patience: &patience,
            };
            let mut mapped = vec![];
            if !search.ways(&spec.pattern, &mut mapped, &mut |_| true) {
                start += 1;
                continue;
            }
            number += 1;
            let all = Mapped {
                rows: &own,
                start,
                variables: &mapped,
            };
            let told = match spec.all_rows {
                true => 0..mapped.len(),
                false => mapped.len() - 1..mapped.len(),
            };
            for at in told {
                let row = own[start + at];
                let mut cells: Vec<String> = match spec.all_rows {
                    true => vec![
                        row.key.to_string(),
                        chrono_text(row.ms),
                        row.value.to_string(),
                    ],
                    false => spec
                        .partition_by
                        .iter()
                        .map(|_| row.key.to_string())
                        .collect(),
                };
                let values = spec.measures.iter();
                cells.extend(values.map(|m| all.value(*m, at, number).unwrap_or("NULL".into())));
                found.push(cells.join(" | "));
            }
            let place = |set: u64| mapped.iter().position(|v| set >> v & 1 == 1).unwrap();
            let back = |set: u64| mapped.iter().rposition(|v| set >> v & 1 == 1).unwrap();
            start += match spec.skip {
                Skip::PastLastRow => mapped.len(),
                Skip::ToNextRow => 1,
                Skip::ToFirst(set) => place(set),
                Skip::ToLast(set) => back(set),
            };
        }
    }
    found.sort();
    (patience.get() > 0).then_some(found)
}

fn random_pattern(random: &mut SmallRng, depth: u32) -> Pattern {
    let parts = |random: &mut SmallRng| {
        let count = random.random_range(2..4);
        (0..count)
            .map(|_| random_pattern(random, depth - 1))
            .collect()
    };
    match if depth == 0 {
        0
    } else {
        random.random_range(0..6)
    } {
        0 | 1 => variable(random.random_range(0..VARIABLES - 1)),
        2 => Pattern::Sequence(parts(random)),
        3 => Pattern::Alternatives(parts(random)),
        _ => {
            let least = random.random_range(0..3);
            let most = random.random_range(least.max(1)..least + 3);
            let inner = random_pattern(random, depth - 1);
            let most = random.random::<bool>().then_some(most);
            repeated(inner, least, most, random.random())
        }
    }
}

/// Conditions ask for so many rows behind a row at most.
fn random_rule(random: &mut SmallRng, own: u64, ahead: i64) -> Option<Rule> {
    let other = 1 << random.random_range(0..VARIABLES);
    let this = last(V, own);
    let shifted = |set: u64, first: bool, offset: u32, shift: i64| Reference::Row {
        column: V,
        variables: set,
        first,
        offset,
        shift,
        running: false,
    };
    let number = random.random_range(2..14);
    let op = [Op::Lt, Op::Gt, Op::GtEq][random.random_range(0..3)];
    let functions = [
        AggregateFunction::Count,
        AggregateFunction::Sum,
        AggregateFunction::Min,
        AggregateFunction::Max,
    ];
    let function = functions[random.random_range(0..4)];
    let set = [own, other, ALL_VARIABLES][random.random_range(0..3)];
    let rule = |left, right| Rule {
        left,
        op,
        right,
        number,
    };
    Some(match random.random_range(0..9) {
        0 => return None,
        1..4 => rule(this, None),
        4 => rule(
            this,
            Some(shifted(own, false, 0, random.random_range(-2..=ahead))),
        ),
        5 => rule(
            this,
            Some(shifted(set, false, random.random_range(0..3), 0)),
        ),
        6 => rule(this, Some(shifted(set, true, random.random_range(0..2), 0))),
        7 => rule(
            this,
            Some(shifted(
                set,
                random.random(),
                0,
                random.random_range(-1..=ahead),
            )),
        ),
        _ => rule(aggregate(function, set), None),
    })
}

fn random_measure(random: &mut SmallRng, ahead: i64) -> Reference {
    let variables = [1, 2, 4, 3, ALL_VARIABLES][random.random_range(0..5)];
    let running = random.random();
    match random.random_range(0..8) {
        0 => Reference::Classifier,
        1 => Reference::MatchNumber,
        2 | 3 => Reference::Aggregate {
            function: [AggregateFunction::Count, AggregateFunction::Sum][random.random_range(0..2)],
            column: Some(V),
            distinct: false,
            variables,
            running,
        },
        _ => Reference::Row {
            column: [T, V][random.random_range(0..2)],
            variables,
            first: random.random(),
            offset: random.random_range(0..2),
            shift: random.random_range(-2..=ahead),
            running,
        },
    }
}

fn random_spec(random: &mut SmallRng) -> (PatternSpec, Vec<Option<Rule>>) {
    // Most patterns do not look ahead, and some only in measures or only in conditions.
    let [of_rules, of_measures] = [0; 2].map(|_: i64| match random.random_ratio(1, 4) {
        true => random.random_range(1..3),
        false => 0,
    });
    let rules: Vec<Option<Rule>> = (0..VARIABLES)
        .map(|at| random_rule(random, 1 << at, of_rules))
        .collect();
    let named = |(at, rule): (usize, &Option<Rule>)| PatternVariable {
        name: NAMES[at].to_string(),
        condition: rule.map(|rule| condition(rule.left, rule.op, rule.right, rule.number)),
    };
    let inner = random_pattern(random, 3);
    let skip = [
        Skip::PastLastRow,
        Skip::ToNextRow,
        Skip::ToFirst(8),
        Skip::ToLast(8),
    ][random.random_range(0..4)];
    let pattern = match (skip, inner.may_be_empty()) {
        // Z is there, and behind the first row.
        (Skip::ToFirst(_) | Skip::ToLast(_), _) => {
            let end = repeated(variable(3), 1, Some(2), random.random());
            Pattern::Sequence(vec![variable(0), inner, end])
        }
        (_, true) => Pattern::Sequence(vec![inner, variable(3)]),
        _ => inner,
    };
    let mut spec = PatternSpec {
        partition_by: if random.random_ratio(1, 6) {
            vec![]
        } else {
            vec![K]
        },
        pattern,
        variables: rules.iter().enumerate().map(named).collect(),
        measures: (0..random.random_range(0..4))
            .map(|_| random_measure(random, of_measures))
            .collect(),
        all_rows: random.random_ratio(1, 3),
        skip,
        within_ms: random
            .random_ratio(1, 2)
            .then(|| random.random_range(5..60)),
        gives_time: random.random(),
        ..spec()
    };
    spec.gives_time &= spec.looks_ahead() == 0;
    (spec, rules)
}

fn random_rows(random: &mut SmallRng, times: std::ops::Range<i64>, most: usize) -> Vec<Row> {
    let row = |random: &mut SmallRng| Row {
        key: random.random_range(0..3),
        ms: random.random_range(times.clone()),
        value: random.random_range(0..12),
    };
    (0..random.random_range(1..most))
        .map(|_| row(random))
        .collect()
}

/// Random rows out of order, with watermarks, through subtasks that change in number and backend; whether it can be told what
/// must come out.
fn random_run(seed: u64) -> bool {
    let mut random = SmallRng::seed_from_u64(seed);
    let (mut spec, rules) = random_spec(&mut random);
    let in_time = random.random_ratio(4, 5);
    if !in_time {
        spec.order_by = vec![];
        spec.within_ms = None;
        spec.gives_time = false;
    }
    let mut pattern = pipeline(&spec);
    pattern.memory_bytes = if seed.is_multiple_of(3) { 64 } else { 1 << 20 };
    let mut there: Vec<Row> = vec![];
    let mut watermark = 0;
    let mut behind = i64::MIN;
    pattern.watermark(watermark);
    for step in 0..8 {
        let rows = random_rows(&mut random, watermark - 5..watermark + 40, 8);
        let text: Vec<String> = rows.iter().map(|r| row(r.key, r.ms, r.value)).collect();
        there.extend(rows.iter().filter(|row| !in_time || row.ms >= watermark));
        give(&mut pattern, &text);
        if random.random_ratio(2, 3) {
            watermark += random.random_range(0..30);
            pattern.watermark(watermark);
            let now = pattern.output_watermark(watermark);
            assert!(
                now >= behind && now <= watermark,
                "seed {seed}: {now} {behind}"
            );
            behind = now;
        }
        if step % 3 == 2 {
            let backend = match seed.is_multiple_of(2).then(|| random.random_range(0..4)) {
                Some(0) => BackendKind::RocksDb,
                Some(1) => BackendKind::Disk,
                _ => BackendKind::Memory,
            };
            pattern.rescale(random.random_range(1..5), backend);
            pattern.watermark(watermark);
            behind = i64::MIN;
        }
    }
    pattern.watermark(MAX_WATERMARK);
    let result = pattern.finish();
    let place = format!("seed {seed}, {spec:?}");
    let expected = expected(&spec, &rules, &there);
    let can_tell = expected.is_some();
    assert_same(result.clone(), expected.unwrap_or(result), &place);
    can_tell
}

#[test]
fn random_patterns_give_what_trying_one_way_after_the_other_does() {
    let told = (0..400).filter(|seed| random_run(*seed)).count();
    assert!(told > 390, "{told}");
}

/// The same for rows that are in order already.
fn bounded_run(seed: u64) -> bool {
    let mut random = SmallRng::seed_from_u64(seed);
    let (mut spec, rules) = random_spec(&mut random);
    spec.partition_by = vec![K];
    let mut rows = random_rows(&mut random, 0..200, 40);
    rows.sort_by_key(|row| (row.key, row.ms));
    let functions = functions();
    let mut matcher = super::super::Bounded::new(&spec, &output_of(&spec), &functions).unwrap();
    let mut found = vec![];
    let mut give = |rows: arrow::array::RecordBatch| {
        let lines = lines(&crate::element::Batch::inserts(rows));
        found.extend(lines.iter().map(|line| line[5..].to_string()));
    };
    for part in rows.chunks(random.random_range(1..20)) {
        let text: Vec<String> = part.iter().map(|r| row(r.key, r.ms, r.value)).collect();
        let part = batch(&schema(ROWS), &text.join("\n"));
        matcher.process(part.rows(), &mut give).unwrap();
    }
    matcher.finish(&mut give).unwrap();
    found.sort();
    let place = format!("seed {seed}, {spec:?}");
    let expected = expected(&spec, &rules, &rows);
    let can_tell = expected.is_some();
    assert_same(found.clone(), expected.unwrap_or(found), &place);
    can_tell
}

#[test]
fn rows_in_order_give_the_same() {
    let told = (0..300).filter(|seed| bounded_run(*seed)).count();
    assert!(told > 290, "{told}");
}
