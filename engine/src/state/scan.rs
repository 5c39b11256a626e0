//! Visiting what state on disk has, in the order of keys.

use std::ops::Range;

use super::merge::{Entries, Merge};
use super::sorted::{Descending, KeyRange};
use super::{Order, TableId, full_key};
use crate::error::Result;
use crate::key::KeyGroup;

/// State whose entries can be had in order.
pub(super) trait InOrder {
    /// The entries of a table whose full keys are in a range, deletions left out.
    fn entries(
        &self,
        table: TableId,
        range: &KeyRange,
        order: Order,
    ) -> Result<Box<dyn Entries + '_>>;
}

/// Sources, from old to new, whose entries come in this order, as one without deletions.
pub(super) fn merged<'a>(
    sources: Vec<Box<dyn Entries + 'a>>,
    order: Order,
) -> Result<Box<dyn Entries + 'a>> {
    Ok(match order {
        Order::Ascending => Box::new(Merge::new(sources, true)),
        Order::Descending => Box::new(Descending::new(sources)?),
    })
}

/// Visits a table.
pub(super) fn table(
    state: &impl InOrder,
    table: TableId,
    visit: &mut dyn FnMut(KeyGroup, &[u8], &[u8]) -> Result<()>,
) -> Result<()> {
    let range = KeyRange::of_prefix(vec![table.0]);
    let mut entries = state.entries(table, &range, Order::Ascending)?;
    while entries.advance()? {
        let entry = entries.entry();
        visit(entry.place.1, entry.key, entry.value.unwrap_or_default())?;
    }
    Ok(())
}

/// Visits what of a key group begins with `prefix`.
pub(super) fn prefix(
    state: &impl InOrder,
    table: TableId,
    group: KeyGroup,
    prefix: &[u8],
    visit: &mut dyn FnMut(&[u8], &[u8]) -> Result<()>,
) -> Result<()> {
    let range = KeyRange::of_prefix(full_key::of((table, group), prefix));
    let mut entries = state.entries(table, &range, Order::Ascending)?;
    while entries.advance()? {
        let entry = entries.entry();
        visit(entry.key, entry.value.unwrap_or_default())?;
    }
    Ok(())
}

/// Visits what of a key group lies in a range, until it is enough.
pub(super) fn range(
    state: &impl InOrder,
    table: TableId,
    group: KeyGroup,
    range: Range<&[u8]>,
    order: Order,
    visit: &mut dyn FnMut(&[u8], &[u8]) -> Result<bool>,
) -> Result<()> {
    if range.start >= range.end {
        return Ok(());
    }
    let range = KeyRange {
        from: full_key::of((table, group), range.start),
        to: Some(full_key::of((table, group), range.end)),
    };
    let mut entries = state.entries(table, &range, order)?;
    while entries.advance()? {
        let entry = entries.entry();
        if !visit(entry.key, entry.value.unwrap_or_default())? {
            break;
        }
    }
    Ok(())
}
