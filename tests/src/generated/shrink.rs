//! A small case of one that fails: numbers are taken out of the list that it follows from, and made less, while it
//! still fails.

use std::collections::HashMap;
use std::ops::Range;

use super::{Choices, case, golden};
use crate::case::Case;

/// The smallest case that was found in so many attempts; `fails` says whether one fails as the first did.
pub async fn shrink(
    numbers: Vec<u32>,
    attempts: usize,
    mut fails: impl AsyncFnMut(&mut Case) -> bool,
) -> Case {
    let mut smallest = Smallest::of(numbers);
    let mut left = attempts;
    loop {
        let before = smallest.numbers.clone();
        let mut place = 0;
        while let Some(candidate) = smallest.candidate(place) {
            let Some(mut next) = smallest.improved_by(candidate) else {
                place += 1;
                continue;
            };
            let known = smallest.known.get(&next.text).copied();
            let still = match known {
                Some(known) => known,
                None if left == 0 => return smallest.case,
                None => {
                    left -= 1;
                    fails(&mut next.case).await
                }
            };
            smallest.known.insert(next.text.clone(), still);
            match still {
                true => smallest.replace(next),
                false => place += 1,
            }
        }
        if smallest.numbers == before {
            return smallest.case;
        }
    }
}

/// The smallest case so far.
struct Smallest {
    numbers: Vec<u32>,
    /// The longest first.
    spans: Vec<Range<usize>>,
    case: Case,
    text: String,
    /// Whether these fail.
    known: HashMap<String, bool>,
}

impl Smallest {
    fn of(numbers: Vec<u32>) -> Self {
        let mut choices = Choices::replay(numbers);
        let case = case(&mut choices);
        let (numbers, mut spans) = choices.into_parts();
        spans.retain(|span| !span.is_empty());
        spans.sort_by_key(|span| std::cmp::Reverse(span.len()));
        spans.dedup();
        let text = golden(&case, "");
        Smallest {
            known: HashMap::from([(text.clone(), true)]),
            numbers,
            spans,
            case,
            text,
        }
    }

    /// The numbers of an attempt: a part taken out, a part made 0, a number made less, numbers taken out.
    fn candidate(&self, place: usize) -> Option<Vec<u32>> {
        let (spans, numbers) = (self.spans.len(), self.numbers.len());
        let mut list = self.numbers.clone();
        if place < 2 * spans {
            let span = self.spans[place / 2].clone();
            match place % 2 {
                0 => drop(list.drain(span)),
                _ => list[span].fill(0),
            }
            return Some(list);
        }
        let place = place - 2 * spans;
        let at = place / 4;
        if at >= numbers {
            return None;
        }
        match place % 4 {
            0 => list[at] = 0,
            1 => list[at] /= 2,
            2 => list[at] = list[at].saturating_sub(1),
            _ => drop(list.remove(at)),
        }
        Some(list)
    }

    /// What follows from numbers, if there is less of it.
    fn improved_by(&self, candidate: Vec<u32>) -> Option<Smallest> {
        let next = Smallest::of(candidate);
        let size = |numbers: &[u32]| {
            let sum: u64 = numbers.iter().map(|n| u64::from(*n)).sum();
            (numbers.len(), sum)
        };
        (size(&next.numbers) < size(&self.numbers)).then_some(next)
    }

    fn replace(&mut self, next: Smallest) {
        let known = std::mem::take(&mut self.known);
        *self = Smallest { known, ..next };
    }
}
