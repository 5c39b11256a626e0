//! What rows of an aggregation's state are made of.
//!
//! A query that is edited goes on from the state of the one before, whose rows stay as they are
//! until they change. So each row names its layout, and the layouts travel in the manifest. What a
//! call accumulates has a *slot*, a number that is never given to anything else, and a distinct set a
//! table; a call of the edited query takes over the slot of the call that computed the same.

use arrow::datatypes::{DataType, TimeUnit};
use serde::{Deserialize, Serialize};

use super::accumulator::partial_fields;
use super::plan::Plan;
use crate::error::{EngineError, Result};
use crate::graph::DataTypeSpec;

/// The layout of rows that name none: they were written before rows did.
const UNNAMED: u32 = 0;
/// The first number of a layout. A row without one begins with 0 or 1, or is empty.
pub(super) const FIRST: u32 = 2;
/// The first table of a distinct set.
const FIRST_SET: u8 = 16;

/// What rows of an aggregation's state are made of. Plain data, part of the checkpoint's format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// What rows name it by.
    pub id: u32,
    /// The columns of the key.
    pub keys: Vec<Key>,
    /// Since when rows say when their group was last touched, in milliseconds since the epoch: groups
    /// of rows that do not count as touched then. `None` if they do not.
    pub stamped_since_ms: Option<i64>,
    /// Whether rows are taken back, so that groups count theirs, and entries of sets too.
    pub updating: bool,
    /// The calls, in the order of their columns.
    pub calls: Vec<StoredCall>,
    /// The distinct sets.
    pub sets: Vec<StoredSet>,
}

/// A column of the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// For people.
    pub name: String,
    /// Its type.
    pub data_type: DataTypeSpec,
}

/// What a call accumulates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredCall {
    /// Its number, never given to another.
    pub slot: u32,
    /// What it computes; see [`crate::graph::AggregateCall::identity`].
    pub identity: String,
    /// For people.
    pub name: String,
    /// The type of its argument.
    pub argument: DataTypeSpec,
    /// Its columns in a group's row; none if the entries of its set say it all.
    pub columns: Vec<DataTypeSpec>,
}

/// A distinct set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSet {
    /// The table of its entries.
    pub table: u8,
    /// The type of its values.
    pub data_type: DataTypeSpec,
    /// The slots of the calls that it feeds, in the order of their bits or counts.
    pub calls: Vec<u32>,
}

/// How an aggregation goes on from state.
#[derive(Debug, Clone, Default)]
pub struct Continuity {
    /// The layouts that rows may have; the last is the one in which rows are written.
    pub layouts: Vec<Layout>,
    /// Why nothing of the state can be used. Then the aggregation must start without it.
    pub unusable: Vec<String>,
    /// Calls that begin empty, because nothing like them was there.
    pub new: Vec<String>,
    /// Calls whose state nobody takes over.
    pub gone: Vec<String>,
    /// Calls that begin empty because what was accumulated does not fit, each with the reason.
    pub changed: Vec<String>,
}

/// The layout of rows that name none, which those of the same query had.
pub(crate) fn unnamed(plan: &Plan, stamped: bool) -> Result<Layout> {
    Ok(Layout {
        id: UNNAMED,
        ..describe(plan, stamped.then_some(0))?
    })
}

/// How an aggregation goes on from state with these layouts, from old to new; none for no state.
pub(crate) fn continuity(
    plan: &Plan,
    stamped: bool,
    restored: &[Layout],
    now_ms: i64,
) -> Result<Continuity> {
    let mut own = describe(plan, stamped.then_some(now_ms))?;
    let mut found = Continuity::default();
    let Some(last) = restored.last() else {
        found.layouts = vec![own];
        return Ok(found);
    };
    found.unusable = unusable(last, &own);
    if !found.unusable.is_empty() {
        found.layouts = vec![own];
        return Ok(found);
    }
    if let (Some(since), Some(earlier)) = (&mut own.stamped_since_ms, last.stamped_since_ms) {
        *since = earlier;
    }
    let slots = restored.iter().flat_map(|l| &l.calls).map(|c| c.slot);
    let mut next = slots.max().map_or(0, |slot| slot + 1);
    take_over_calls(last, &mut own, &mut next, &mut found);
    take_over_sets(plan, last, &mut own, &mut next, &mut found)?;
    let kept = |call: &&StoredCall| own.calls.iter().any(|o| o.identity == call.identity);
    let gone = last.calls.iter().filter(|call| !kept(call));
    found.gone = gone.map(|call| call.name.clone()).collect();
    own.id = last.id;
    found.layouts = restored.to_vec();
    if own != *last || own.id < FIRST {
        own.id = FIRST.max(last.id + 1);
        found.layouts.push(own);
    }
    Ok(found)
}

/// The layout of a plan that starts without state.
fn describe(plan: &Plan, stamped_since_ms: Option<i64>) -> Result<Layout> {
    let spec = |data_type: &DataType| DataTypeSpec(data_type.clone());
    let key = |field: &arrow::datatypes::FieldRef| Key {
        name: field.name().clone(),
        data_type: spec(field.data_type()),
    };
    let calls = plan.calls.iter().zip(0..).map(|(call, slot)| {
        let fields = match call.stored {
            true => partial_fields(&call.call, plan.updating, ""),
            false => Vec::new(),
        };
        StoredCall {
            slot,
            identity: call.call.identity().to_string(),
            name: call.call.name.clone(),
            argument: call.call.argument_type.clone(),
            columns: fields.iter().map(|f| spec(f.data_type())).collect(),
        }
    });
    let mut sets: Vec<StoredSet> = Vec::new();
    for set in &plan.sets {
        sets.push(StoredSet {
            table: free_table(&[&sets])?,
            data_type: spec(plan.arguments[set.argument].1.data_type()),
            calls: set.users.iter().map(|user| *user as u32).collect(),
        });
    }
    Ok(Layout {
        id: FIRST,
        keys: plan.key_fields.iter().map(key).collect(),
        stamped_since_ms,
        updating: plan.updating,
        calls: calls.collect(),
        sets,
    })
}

fn free_table(taken: &[&[StoredSet]]) -> Result<u8> {
    let is_free = |table: &u8| taken.iter().all(|s| s.iter().all(|s| s.table != *table));
    (FIRST_SET..=u8::MAX)
        .find(is_free)
        .ok_or_else(|| EngineError::config("an aggregation has more than 240 distinct arguments"))
}

fn unusable(last: &Layout, own: &Layout) -> Vec<String> {
    let mut reasons = Vec::new();
    if last.keys.len() != own.keys.len() {
        let (was, is) = (last.keys.len(), own.keys.len());
        reasons.push(format!("it was kept by {was} keys and would be by {is}"));
        return reasons;
    }
    for (was, is) in last.keys.iter().zip(&own.keys) {
        if was.data_type != is.data_type {
            let (from, to) = (sql_type(&was.data_type.0), sql_type(&is.data_type.0));
            let name = &is.name;
            reasons.push(format!("its key {name} was of {from} and is of {to}"));
        }
    }
    match (last.updating, own.updating) {
        (false, true) => reasons.push("its input was never taken back and now is".into()),
        (true, false) => reasons.push("its input was taken back and no longer is".into()),
        _ => {}
    }
    reasons
}

/// Gives each call the slot of the one that computed the same, or a new one.
fn take_over_calls(last: &Layout, own: &mut Layout, next: &mut u32, found: &mut Continuity) {
    for at in 0..own.calls.len() {
        let (before, rest) = own.calls.split_at_mut(at);
        let Some(call) = rest.first_mut() else { break };
        // Of calls that are written twice, the first is the first.
        let same = |c: &&StoredCall| c.identity == call.identity;
        let nth = before.iter().filter(same).count();
        let old = last.calls.iter().filter(same).nth(nth);
        match old {
            None => found.new.push(call.name.clone()),
            Some(old) if !widens(&old.argument.0, &call.argument.0) => {
                let (from, to) = (sql_type(&old.argument.0), sql_type(&call.argument.0));
                let name = &call.name;
                let reason = format!("{name}, which was over {from} and is over {to}");
                found.changed.push(reason);
            }
            Some(old) if old.columns.len() != call.columns.len() => {
                let reason = format!("{}, which is kept in another way", call.name);
                found.changed.push(reason);
            }
            Some(old) => {
                call.slot = old.slot;
                continue;
            }
        }
        call.slot = *next;
        *next += 1;
    }
}

/// Gives each set the table of the one that fed the same calls, or a free one.
fn take_over_sets(
    plan: &Plan,
    last: &Layout,
    own: &mut Layout,
    next: &mut u32,
    found: &mut Continuity,
) -> Result<()> {
    let mut sets: Vec<StoredSet> = Vec::new();
    for (set, planned) in own.sets.iter().zip(&plan.sets) {
        let slots: Vec<u32> = planned.users.iter().map(|u| own.calls[*u].slot).collect();
        let old = last
            .sets
            .iter()
            .filter(|s| sets.iter().all(|taken| taken.table != s.table))
            .find(|s| slots.iter().any(|slot| s.calls.contains(slot)));
        for (user, slot) in planned.users.iter().zip(&slots) {
            let kept = old.is_some_and(|s| s.calls.contains(slot));
            if !kept && last.sets.iter().any(|s| s.calls.contains(slot)) {
                let call = &mut own.calls[*user];
                let reason = format!("{}, whose values are in another set now", call.name);
                found.changed.push(reason);
                call.slot = *next;
                *next += 1;
            }
        }
        sets.push(StoredSet {
            table: match old {
                Some(old) => old.table,
                None => free_table(&[&last.sets, &sets])?,
            },
            calls: planned.users.iter().map(|u| own.calls[*u].slot).collect(),
            data_type: set.data_type.clone(),
        });
    }
    own.sets = sets;
    Ok(())
}

/// Whether every value of `from` is one of `to`, and is written the same way.
fn widens(from: &DataType, to: &DataType) -> bool {
    let width = |t: &DataType| t.is_signed_integer().then(|| t.primitive_width()).flatten();
    match (width(from), width(to)) {
        (Some(from), Some(to)) => from <= to,
        _ => from == to,
    }
}

/// A type as people write it.
pub(crate) fn sql_type(data_type: &DataType) -> String {
    use DataType as T;
    let digits = |unit: &TimeUnit| match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    };
    match data_type {
        T::Boolean => "BOOLEAN".into(),
        T::Int8 => "TINYINT".into(),
        T::Int16 => "SMALLINT".into(),
        T::Int32 => "INT".into(),
        T::Int64 => "BIGINT".into(),
        T::Float32 => "FLOAT".into(),
        T::Float64 => "DOUBLE".into(),
        T::Decimal128(precision, scale) => format!("DECIMAL({precision}, {scale})"),
        T::Utf8 | T::LargeUtf8 | T::Utf8View => "STRING".into(),
        T::Binary | T::LargeBinary | T::BinaryView => "BYTES".into(),
        T::Date32 => "DATE".into(),
        T::Timestamp(unit, None) => format!("TIMESTAMP({})", digits(unit)),
        T::Timestamp(unit, Some(_)) => format!("TIMESTAMP_LTZ({})", digits(unit)),
        other => other.to_string(),
    }
}
