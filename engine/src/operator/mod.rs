//! Operators: state machines from (batch, state, time) to output, without I/O.
//!
//! An operator never waits, sends or reads a clock of its own. The subtask calls it, takes what it
//! put into its [`Output`], and does the rest; so an operator can be tested alone.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::execution::TaskContext;

use crate::element::{Batch, RowKind};
use crate::error::{EngineError, Result};
use crate::graph::OperatorSpec;
use crate::key::KeyGroupRange;
use crate::memory::Share;
use crate::metrics::SubtaskMetrics;
use crate::state::KeyedState;
use crate::time::EventTime;

pub use aggregate::layout::{Continuity, Key, Layout, StoredCall, StoredSet};

pub mod aggregate;
mod assign_window;
mod calc;
mod changelog_normalize;
mod count_window;
pub mod from_changelog;
mod group_aggregate;
pub mod inspect;
mod join;
mod keyed_rows;
mod local_group_aggregate;
mod local_window_aggregate;
mod multi_join;
mod ordered_rows;
mod over;
mod overflow;
pub mod pattern;
mod rank;
mod temporal_join;
#[cfg(test)]
pub(crate) mod testing;
mod to_changelog;
mod union;
mod unnest;
mod waiting_rows;
mod watermarks;
mod whole_aggregate;
mod window;
mod window_aggregate;

/// What an operator gets when it starts.
pub struct OperatorContext {
    /// The functions that expressions may call.
    pub functions: Arc<TaskContext>,
    /// Which subtask this is.
    pub index: u32,
    /// How many subtasks the vertex has.
    pub parallelism: u32,
    /// The number of key groups of the job.
    pub max_parallelism: u32,
    /// The key groups that this subtask owns.
    pub key_groups: KeyGroupRange,
    /// Keyed state, already restored; stateless operators get none.
    pub state: Option<Box<dyn KeyedState>>,
    /// The layouts that rows of restored state may have, from old to new.
    pub layouts: Vec<Layout>,
    /// The part of the worker's memory for what the operator holds.
    pub memory: Share,
    /// What the subtask counts.
    pub metrics: Arc<SubtaskMetrics>,
    /// The most rows that an operator should put into one batch.
    pub batch_rows: usize,
    /// Processing time at the start, in milliseconds.
    pub now_ms: i64,
}

/// Collects what an operator emits during one call.
#[derive(Debug, Default)]
pub struct Output {
    batches: Vec<Batch>,
}

impl Output {
    /// Emits rows; empty batches are dropped.
    pub fn emit(&mut self, batch: Batch) {
        if !batch.is_empty() {
            self.batches.push(batch);
        }
    }

    /// Emits rows in batches of at most `rows`. The two halves of an update stay together where one batch has room for both.
    pub fn emit_chunks(&mut self, batch: Batch, rows: usize) {
        let (rows, count) = (rows.max(1), batch.num_rows());
        let mut start = 0;
        while start < count {
            let mut end = (start + rows).min(count);
            let within_update = end < count
                && batch.kind(end - 1) == RowKind::UpdateBefore
                && batch.kind(end) == RowKind::UpdateAfter;
            if within_update && end - start > 1 {
                end -= 1;
            }
            self.emit(batch.slice(start, end - start));
            start = end;
        }
    }

    /// Whether nothing was emitted.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Takes what was emitted, in order.
    pub fn drain(&mut self) -> std::vec::Drain<'_, Batch> {
        self.batches.drain(..)
    }
}

/// A state machine over batches and time.
pub trait Operator: Send {
    /// Takes rows of one input.
    fn process(
        &mut self,
        input: usize,
        batch: Batch,
        now_ms: i64,
        output: &mut Output,
    ) -> Result<()>;

    /// Whether the last call has left something to give: an operator of which a few rows make many gives some of
    /// them at a time, so that they can leave before there are more. Until all is given, nothing is called but
    /// [`Operator::give_more`].
    fn has_more(&self) -> bool {
        false
    }

    /// Gives more of what the last call has left.
    fn give_more(&mut self, output: &mut Output) -> Result<()> {
        let _ = output;
        Ok(())
    }

    /// Event time has moved (the minimum over all inputs); after what this emits the
    /// subtask forwards [`Operator::output_watermark`].
    fn watermark(&mut self, watermark: EventTime, output: &mut Output) -> Result<()> {
        let _ = (watermark, output);
        Ok(())
    }

    /// How far event time has come behind this operator when it has come to `watermark` in front
    /// of it; what the subtask forwards. It never goes back as `watermark` goes forward.
    fn output_watermark(&self, watermark: EventTime) -> EventTime {
        watermark
    }

    /// When [`Operator::timer`] wants to be called, in milliseconds of processing time.
    fn deadline_ms(&self) -> Option<i64> {
        None
    }

    /// Processing time has reached the deadline.
    fn timer(&mut self, now_ms: i64, output: &mut Output) -> Result<()> {
        let _ = (now_ms, output);
        Ok(())
    }

    /// All inputs have ended (after the last watermark).
    fn finish(&mut self, output: &mut Output) -> Result<()> {
        let _ = output;
        Ok(())
    }

    /// Emit what is held back (a local aggregate's partial rows), because it must travel ahead of
    /// what follows: a barrier that has arrived on all inputs, or the news that all are idle, after
    /// which nobody waits for this operator's rows. Comes before [`Operator::state`].
    fn hand_over(&mut self, output: &mut Output) -> Result<()> {
        let _ = output;
        Ok(())
    }

    /// From here on the input is partial results of a local phase, or is not: for rows that were under
    /// way when the job had another parallelism.
    fn take_partial(&mut self, partial: bool) {
        let _ = partial;
    }

    /// Roughly the memory of the working set, in bytes, beside keyed state.
    fn memory_bytes(&self) -> usize {
        0
    }

    /// A barrier: write what has changed into keyed state and hand it out for the snapshot;
    /// `None` for an operator without keyed state.
    fn state(&mut self) -> Result<Option<&mut dyn KeyedState>> {
        Ok(None)
    }
}

/// Makes the operator that `spec` describes.
///
/// `inputs` are the schemas of its inputs in order, `output` is the schema of what it emits. With
/// keyed state in the `context` it continues from that state. Sources, VALUES, sinks and the
/// collector do I/O and belong to the subtask; they are refused here.
pub fn build(
    spec: &OperatorSpec,
    inputs: &[SchemaRef],
    output: &SchemaRef,
    context: OperatorContext,
) -> Result<Box<dyn Operator>> {
    match spec {
        OperatorSpec::Calc(calc) => {
            let input = only_input(inputs)?;
            let operator = calc::Calc::new(calc, input, output, &context)?;
            Ok(Box::new(operator))
        }
        OperatorSpec::Union => Ok(Box::new(union::Union::new(inputs, output)?)),
        OperatorSpec::AssignWindow(window) => {
            let operator = assign_window::AssignWindow::new(window, output, &context)?;
            Ok(Box::new(operator))
        }
        OperatorSpec::Unnest(spec) => {
            let operator = unnest::Unnest::new(spec, only_input(inputs)?, output)?;
            Ok(Box::new(operator))
        }
        OperatorSpec::ToChangelog(spec) => {
            let operator = to_changelog::ToChangelog::new(spec, only_input(inputs)?, output)?;
            Ok(Box::new(operator))
        }
        OperatorSpec::FromChangelog(spec) => {
            let operator = from_changelog::FromChangelog::new(spec, output, &context)?;
            Ok(Box::new(operator))
        }
        OperatorSpec::LocalWindowAggregate(spec) => {
            let operator = local_window_aggregate::LocalWindowAggregate::new(spec, &context)?;
            Ok(Box::new(operator))
        }
        OperatorSpec::WindowAggregate(spec) => window_aggregate::create(spec, output, context),
        OperatorSpec::LocalGroupAggregate(spec) => {
            let operator = local_group_aggregate::LocalGroupAggregate::new(spec, &context)?;
            Ok(Box::new(operator))
        }
        OperatorSpec::GroupAggregate(spec) => {
            let operator = group_aggregate::GroupAggregate::new(spec, output, context)?;
            Ok(Box::new(operator))
        }
        OperatorSpec::WholeAggregate(spec) => {
            let operator = whole_aggregate::WholeAggregate::new(spec, output, &context)?;
            Ok(Box::new(operator))
        }
        OperatorSpec::ChangelogNormalize(spec) => {
            let operator = changelog_normalize::ChangelogNormalize::new(spec, output, context)?;
            Ok(Box::new(operator))
        }
        OperatorSpec::Join(spec) => Ok(Box::new(join::Join::new(spec, output, context)?)),
        OperatorSpec::MultiJoin(spec) => {
            let operator = multi_join::MultiJoin::new(spec, output, context)?;
            Ok(Box::new(operator))
        }
        OperatorSpec::TemporalJoin(spec) => temporal_join::create(spec, output, context),
        OperatorSpec::Rank(spec) => Ok(Box::new(rank::Rank::new(spec, output, context)?)),
        OperatorSpec::Over(spec) => over::create(spec, output, context),
        OperatorSpec::Pattern(spec) => pattern::create(spec, output, context),
        OperatorSpec::CountWindow(spec) => {
            let operator = count_window::CountWindow::new(spec, output, context)?;
            Ok(Box::new(operator))
        }
        other => Err(EngineError::internal(format!(
            "no state machine runs {other:?}"
        ))),
    }
}

/// The columns of the rows of an input that an operator keeps state by, and whether it takes partial results
/// of a local phase, which have them first.
pub fn grouping(spec: &OperatorSpec, input: usize) -> Option<(&[usize], bool)> {
    match spec {
        OperatorSpec::WindowAggregate(spec) => Some((&spec.keys, spec.partial_input)),
        OperatorSpec::GroupAggregate(spec) => Some((&spec.keys, spec.partial_input)),
        OperatorSpec::ChangelogNormalize(spec) => Some((&spec.keys, false)),
        OperatorSpec::Join(spec) if input == 0 => Some((&spec.left.keys, false)),
        OperatorSpec::Join(spec) => Some((&spec.right.keys, false)),
        OperatorSpec::MultiJoin(spec) => {
            let keys = spec.inputs.get(input).map(|input| input.keys.as_slice());
            keys.map(|keys| (keys, false))
        }
        OperatorSpec::TemporalJoin(spec) if input == 0 => Some((&spec.left.keys, false)),
        OperatorSpec::TemporalJoin(spec) => Some((&spec.right.keys, false)),
        OperatorSpec::Rank(spec) => Some((&spec.partition_by, false)),
        OperatorSpec::Over(spec) => Some((&spec.partition_by, false)),
        OperatorSpec::Pattern(spec) => Some((&spec.partition_by, false)),
        OperatorSpec::CountWindow(spec) => Some((&spec.partition_by, false)),
        _ => None,
    }
}

/// Whether the operator keeps keyed state, so that its context must carry some.
pub fn needs_state(spec: &OperatorSpec) -> bool {
    matches!(
        spec,
        OperatorSpec::WindowAggregate(_)
            | OperatorSpec::GroupAggregate(_)
            | OperatorSpec::ChangelogNormalize(_)
            | OperatorSpec::Join(_)
            | OperatorSpec::MultiJoin(_)
            | OperatorSpec::TemporalJoin(_)
            | OperatorSpec::Rank(_)
            | OperatorSpec::Over(_)
            | OperatorSpec::Pattern(_)
            | OperatorSpec::CountWindow(_)
    )
}

/// The layouts that rows of restored state may have, given those that its checkpoint names. Before
/// checkpoints named any, rows were those of the operator that has the state's uid.
pub fn restored_layouts(
    spec: &OperatorSpec,
    named: &[Layout],
    has_state: bool,
) -> Result<Vec<Layout>> {
    match (named, state_plan(spec)?) {
        ([], Some((plan, stamped))) if has_state => {
            Ok(vec![aggregate::layout::unnamed(&plan, stamped)?])
        }
        (named, _) => Ok(named.to_vec()),
    }
}

/// How an operator goes on from restored state with these layouts.
pub fn continuity(spec: &OperatorSpec, restored: &[Layout], now_ms: i64) -> Result<Continuity> {
    let Some((plan, stamped)) = state_plan(spec)? else {
        return Ok(Continuity::default());
    };
    let found = aggregate::layout::continuity(&plan, stamped, restored, now_ms)?;
    Ok(match spec {
        OperatorSpec::ChangelogNormalize(_) => changelog_normalize::whole_rows(found),
        _ => found,
    })
}

/// The plan of what keeps state, and whether its groups expire.
fn state_plan(spec: &OperatorSpec) -> Result<Option<(aggregate::Plan, bool)>> {
    Ok(match spec {
        OperatorSpec::WindowAggregate(spec) => Some((window_aggregate::plan(spec)?, false)),
        OperatorSpec::GroupAggregate(spec) => {
            let plan = aggregate::group_plan(spec)?;
            Some((plan, group_aggregate::expires(spec)))
        }
        OperatorSpec::ChangelogNormalize(spec) => {
            Some((aggregate::normalize_plan(spec)?, spec.ttl_ms > 0))
        }
        _ => None,
    })
}

/// Refuses an operator whose output has other columns than it gives.
fn check_width(what: &str, columns: usize, output: &SchemaRef) -> Result<()> {
    let fields = output.fields().len();
    match columns == fields {
        true => Ok(()),
        false => Err(EngineError::internal(format!(
            "{what} of {columns} columns for {fields} output fields"
        ))),
    }
}

/// The input of an operator that has one.
pub(crate) fn only_input(inputs: &[SchemaRef]) -> Result<&SchemaRef> {
    match inputs {
        [only] => Ok(only),
        _ => Err(EngineError::internal(format!(
            "an operator of one input has {}",
            inputs.len()
        ))),
    }
}
