//! Functions of a row's place among those of its partition.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::datatypes::Int64Type;

use super::{Carried, Operands, Values};
use crate::error::Result;
use crate::graph::{OverCall, OverFunction};
use crate::operator::over::span::{Part, Span};

pub(super) fn values(
    call: &OverCall,
    span: &Span,
    operands: &Operands,
    carry: bool,
) -> Result<Values> {
    let column: ArrayRef = match call.function {
        OverFunction::PercentRank | OverFunction::CumeDist => shares(call.function, span),
        OverFunction::Tile(tiles) => tiled(tiles, span),
        _ => return Ok(numbered(call.function, span, operands, carry)),
    };
    Ok(column.into())
}

/// ROW_NUMBER, RANK and DENSE_RANK; what is carried on is how many rows, or ranks, there were.
fn numbered(function: OverFunction, span: &Span, operands: &Operands, carry: bool) -> Values {
    let weights = operands.carried.weight.as_ref();
    let weights = weights.map(|weights| weights.as_primitive::<Int64Type>());
    let mut numbers = Vec::with_capacity(span.wanted_len());
    let mut carried = Vec::new();
    for (index, part) in span.parts.iter().enumerate() {
        let before = weights.filter(|weights| weights.is_valid(index));
        let before = before.map_or(0, |weights| weights.value(index));
        let last = match function {
            OverFunction::RowNumber => {
                let number = |row| before + (row - part.first()) as i64 + 1;
                numbers.extend(part.wanted.clone().map(number));
                before + (part.rows.end - part.first()) as i64
            }
            OverFunction::Rank => {
                let number = |row| before + (row - part.first()) as i64 + 1;
                let mut rank = None;
                for row in part.wanted.clone() {
                    let first = match rank {
                        Some(rank) if span.ties[row] => rank,
                        _ => number(span.first_peer(part, row)),
                    };
                    rank = Some(first);
                    numbers.push(first);
                }
                before + (part.rows.end - part.first()) as i64
            }
            _ => {
                let new = |row: &usize| *row == part.first() || !span.ties[*row];
                let first = part.first()..part.wanted.start;
                let mut rank = before + first.filter(new).count() as i64;
                for row in part.wanted.clone() {
                    rank += i64::from(new(&row));
                    numbers.push(rank);
                }
                rank
            }
        };
        carried.push(last);
    }
    let weight: ArrayRef = Arc::new(Int64Array::from(carried));
    Values {
        column: Arc::new(Int64Array::from(numbers)),
        carried: Carried {
            value: None,
            weight: carry.then_some(weight),
        },
    }
}

/// PERCENT_RANK and CUME_DIST.
fn shares(function: OverFunction, span: &Span) -> ArrayRef {
    let mut shares = Vec::with_capacity(span.wanted_len());
    for part in &span.parts {
        let count = (part.rows.end - part.first()) as f64;
        let mut row = part.wanted.start;
        while row < part.wanted.end {
            let peers = span.first_peer(part, row)..span.behind_peers(part, row);
            let share = match function {
                OverFunction::PercentRank if count <= 1.0 => 0.0,
                OverFunction::PercentRank => (peers.start - part.first()) as f64 / (count - 1.0),
                _ => (peers.end - part.first()) as f64 / count,
            };
            let behind = peers.end.min(part.wanted.end);
            shares.extend(std::iter::repeat_n(share, behind - row));
            row = behind;
        }
    }
    Arc::new(Float64Array::from(shares))
}

/// NTILE: the first parts have one row more, if it does not come out even.
fn tiled(tiles: u64, span: &Span) -> ArrayRef {
    let tile = |part: &Part, row: usize| {
        let (count, place) = (
            (part.rows.end - part.first()) as u64,
            (row - part.first()) as u64,
        );
        let tiles = tiles.max(1);
        let (size, longer) = (count / tiles, count % tiles);
        let behind_longer = longer * (size + 1);
        let tile = match place < behind_longer {
            true => place / (size + 1),
            false => longer + (place - behind_longer) / size.max(1),
        };
        tile as i64 + 1
    };
    let parts = span.parts.iter();
    let tiles = parts.flat_map(|part| part.wanted.clone().map(move |row| tile(part, row)));
    Arc::new(Int64Array::from_iter_values(tiles))
}
