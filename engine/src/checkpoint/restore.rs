//! What of a checkpoint the operators of a job take over, decided before anything starts.
//!
//! An operator has a precise id, which says all that it does and all in front of it, and a coarse one,
//! which survives that the query is edited. State goes to the operator with its precise id. What is
//! left goes by its coarse id, where exactly one operator without state and exactly one state without
//! operator have it: where there are several, nobody can tell which belongs to which.

use std::collections::{BTreeMap, BTreeSet};

use super::{InFlight, Manifest, OperatorState};
use crate::element::ChangelogMode;
use crate::error::{EngineError, Result};
use crate::graph::{ChainedOperator, JobGraph, OperatorInput, OperatorSpec, OverForm};
use crate::operator;

#[cfg(test)]
mod tests;

/// A checkpoint as a job takes it over.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The state of each operator under the id that it has in the job, and no other state.
    pub manifest: Manifest,
    /// What each operator does with it, a sentence each; and what is dropped.
    pub listing: Vec<String>,
}

impl Manifest {
    /// Fits this to a job that is to start from it: finds the operator that each state belongs to,
    /// and what of it can be carried over.
    ///
    /// # Errors
    /// State would be dropped, or could not be right any more, and the job does not allow that; or
    /// the number of key groups differs.
    pub fn restore(&self, graph: &JobGraph) -> Result<Restored> {
        self.check_key_groups(graph)?;
        let mut fitting = Fitting::new(self, graph);
        fitting.claim_precisely();
        fitting.claim_coarsely();
        let mut operators = BTreeMap::new();
        for operator in fitting.keepers() {
            match fitting.claims.get(operator.uid.as_str()) {
                Some(uid) => {
                    if let Some(state) = fitting.go_on(operator, uid)? {
                        operators.insert(operator.uid.clone(), state);
                    }
                }
                None => fitting.start_empty(operator)?,
            }
        }
        fitting.drop_unclaimed();
        let in_flight = fitting.claim_in_flight();
        let allowed = graph.settings.checkpoints.ignore_unclaimed_state;
        if !fitting.problems.is_empty() && !allowed {
            return Err(EngineError::checkpoint(
                "the job cannot take over all of what the checkpoint remembers",
            )
            .with_detail(fitting.problems.join("; "))
            .with_hint(
                "SET 'execution.state-recovery.ignore-unclaimed-state' = 'true' to start all the \
                 same",
            ));
        }
        let manifest = Manifest {
            operators,
            in_flight,
            ..self.clone()
        };
        Ok(Restored {
            manifest,
            listing: fitting.listing,
        })
    }

    fn check_key_groups(&self, graph: &JobGraph) -> Result<()> {
        let (own, wanted) = (self.max_parallelism, graph.settings.max_parallelism);
        if own == wanted {
            return Ok(());
        }
        Err(EngineError::checkpoint(format!(
            "the checkpoint has {own} key groups, the job {wanted}"
        ))
        .with_hint(format!("SET 'pipeline.max-parallelism' = '{own}'")))
    }
}

impl OperatorState {
    /// Whether there is nothing that could be lost.
    fn is_empty(&self) -> bool {
        self.keyed.is_empty() && self.splits.is_empty() && self.committables.is_empty()
    }
}

/// The state of one checkpoint and the operators of one job while they find each other.
struct Fitting<'a> {
    manifest: &'a Manifest,
    graph: &'a JobGraph,
    /// By the operator's uid: that of its state.
    claims: BTreeMap<&'a str, &'a str>,
    /// What cannot be carried over.
    problems: Vec<String>,
    /// What happens to each operator.
    listing: Vec<String>,
}

impl<'a> Fitting<'a> {
    fn new(manifest: &'a Manifest, graph: &'a JobGraph) -> Self {
        Fitting {
            manifest,
            graph,
            claims: BTreeMap::new(),
            problems: Vec::new(),
            listing: Vec::new(),
        }
    }

    /// The operators that remember anything.
    fn keepers(&self) -> Vec<&'a ChainedOperator> {
        let all = self.graph.vertices.iter().flat_map(|v| &v.operators);
        all.filter(|o| keeps(&o.spec)).collect()
    }

    fn claim_precisely(&mut self) {
        for operator in self.keepers() {
            let found = self.manifest.operators.get_key_value(&operator.uid);
            // The coarse id knows where keys come from, and the precise one their names only.
            let same = |state: &OperatorState| {
                let (was, is) = (&state.coarse, &operator.coarse);
                was.is_empty() || is.is_empty() || was == is
            };
            if let Some((uid, _)) = found.filter(|(_, state)| same(state)) {
                self.claims.insert(&operator.uid, uid);
            }
        }
    }

    fn claim_coarsely(&mut self) {
        let mut wanting: BTreeMap<&str, Vec<&'a ChainedOperator>> = BTreeMap::new();
        for operator in self.keepers() {
            if !operator.coarse.is_empty() && !self.claims.contains_key(operator.uid.as_str()) {
                wanting.entry(&operator.coarse).or_default().push(operator);
            }
        }
        for (coarse, operators) in wanting {
            let left = self.unclaimed();
            let mut found = left.into_iter().filter(|(_, state)| state.coarse == coarse);
            if let ([operator], Some((uid, _)), None) =
                (operators.as_slice(), found.next(), found.next())
            {
                self.claims.insert(&operator.uid, uid);
            }
        }
    }

    /// State that no operator has claimed.
    fn unclaimed(&self) -> Vec<(&'a str, &'a OperatorState)> {
        let claimed: BTreeSet<&str> = self.claims.values().copied().collect();
        let all = self.manifest.operators.iter();
        all.map(|(uid, state)| (uid.as_str(), state))
            .filter(|(uid, state)| !claimed.contains(uid) && !state.is_empty())
            .collect()
    }

    /// What an operator takes over of the state that it has claimed.
    fn go_on(&mut self, operator: &'a ChainedOperator, uid: &str) -> Result<Option<OperatorState>> {
        let Some(state) = self.manifest.operators.get(uid) else {
            return Ok(None);
        };
        let has_state = !state.keyed.is_empty();
        let layouts = operator::restored_layouts(&operator.spec, &state.layouts, has_state)?;
        let found = operator::continuity(&operator.spec, &layouts, 0)?;
        let who = described(operator)?;
        if !found.unusable.is_empty() {
            let why = found.unusable.join(" and ");
            self.problem(format!("{who} would start empty: {why}"));
            return Ok(None);
        }
        let mut line = format!("{who} goes on");
        if !found.new.is_empty() {
            line.push_str(&format!("; from here on: {}", found.new.join(", ")));
        }
        if !found.gone.is_empty() {
            line.push_str(&format!("; dropped: {}", found.gone.join(", ")));
        }
        if !found.changed.is_empty() {
            line.push_str(&format!("; anew: {}", found.changed.join(", ")));
        }
        let replaced = !found.new.is_empty() && !found.gone.is_empty();
        let midway = !found.new.is_empty() && takes_back(&operator.spec);
        let why = match (found.changed.is_empty(), replaced, midway) {
            (true, false, false) => {
                self.listing.push(line);
                return Ok(Some(state.clone()));
            }
            (false, ..) => "what was accumulated does not fit",
            (_, true, _) => "it cannot be told whether one stands for the other",
            (_, _, true) => "its input takes back rows that the new ones have not seen",
        };
        self.problem(format!("{line} ({why})"));
        Ok(Some(state.clone()))
    }

    /// Says what it means that an operator finds no state.
    fn start_empty(&mut self, operator: &'a ChainedOperator) -> Result<()> {
        let who = described(operator)?;
        let line = format!("{who} starts empty");
        if takes_back(&operator.spec) && self.comes_midway(operator) {
            self.problem(format!(
                "{line}, and its input takes back rows that it has not seen"
            ));
            return Ok(());
        }
        self.listing.push(match operator.spec {
            OperatorSpec::Source(_) | OperatorSpec::Values(_) => {
                format!("{who} starts at its beginning")
            }
            OperatorSpec::Sink(_) => format!("{who} starts"),
            _ => line,
        });
        Ok(())
    }

    /// Whether an operator may be given rows to take back that came before the checkpoint: from an
    /// aggregation or a changelog that goes on from there.
    fn comes_midway(&self, operator: &ChainedOperator) -> bool {
        let mut seen = BTreeSet::new();
        let mut next = self.inputs(operator);
        while let Some(from) = next.pop() {
            if !seen.insert(from.uid.as_str()) {
                continue;
            }
            let updates = match &from.spec {
                OperatorSpec::Source(spec) => spec.mode != ChangelogMode::Append,
                spec => operator::needs_state(spec),
            };
            match (
                keeps(&from.spec),
                self.claims.contains_key(from.uid.as_str()),
            ) {
                (false, _) => next.extend(self.inputs(from)),
                (true, true) if updates => return true,
                // What starts empty takes back only what it has given.
                (true, _) => {}
            }
        }
        false
    }

    /// The operators that rows come from.
    fn inputs(&self, operator: &ChainedOperator) -> Vec<&'a ChainedOperator> {
        let own = |v: &&crate::graph::Vertex| v.operators.iter().any(|o| o.uid == operator.uid);
        let vertex = self.graph.vertices.iter().find(own);
        let from = |input: &OperatorInput| match input {
            OperatorInput::Chained { operator, .. } => vertex?.operators.get(*operator),
            OperatorInput::Edge(id) => {
                let edge = self.graph.edges.iter().find(|e| e.id == *id)?;
                let from = self.graph.vertices.iter().find(|v| v.id == edge.from)?;
                from.operators.get(edge.from_operator)
            }
        };
        operator.inputs.iter().filter_map(from).collect()
    }

    fn drop_unclaimed(&mut self) {
        for (uid, state) in self.unclaimed() {
            let by = state.layouts.last().map(keys_of).unwrap_or_default();
            let what = match state.committables.is_empty() {
                true => "its state",
                false => "what it has prepared and may not have committed",
            };
            let name = &state.name;
            self.problem(format!(
                "{name}{by} ({uid}) has no successor: {what} is dropped"
            ));
        }
    }

    /// Rows that the barrier has overtaken are for the very operators that they were on their way to:
    /// others may take other columns.
    fn claim_in_flight(&mut self) -> Vec<InFlight> {
        let operators = self.graph.vertices.iter().flat_map(|v| &v.operators);
        let uids: BTreeSet<&str> = operators.map(|o| o.uid.as_str()).collect();
        let rows = self.manifest.in_flight.iter().cloned();
        let (kept, lost): (Vec<InFlight>, Vec<InFlight>) =
            rows.partition(|f| uids.contains(f.operator.as_str()));
        let lost: BTreeSet<String> = lost
            .iter()
            .map(|f| {
                let who = format!("{} ({})", f.name, f.operator);
                format!(
                    "rows on their way to {who} are dropped, since barriers overtook them and the query \
                     is another; a savepoint of the unedited query has none"
                )
            })
            .collect();
        lost.into_iter().for_each(|what| self.problem(what));
        kept
    }

    fn problem(&mut self, what: String) {
        self.listing.push(what.clone());
        self.problems.push(what);
    }
}

/// Whether an operator remembers anything.
fn keeps(spec: &OperatorSpec) -> bool {
    let input_output = matches!(
        spec,
        OperatorSpec::Source(_) | OperatorSpec::Values(_) | OperatorSpec::Sink(_)
    );
    input_output || operator::needs_state(spec)
}

/// Whether the input takes rows back, so that state that has not seen these would be wrong.
fn takes_back(spec: &OperatorSpec) -> bool {
    match spec {
        OperatorSpec::WindowAggregate(spec) => spec.input_updating,
        OperatorSpec::GroupAggregate(spec) => spec.input_updating,
        OperatorSpec::ChangelogNormalize(_) => true,
        OperatorSpec::Join(spec) => spec.left.updating || spec.right.updating,
        OperatorSpec::MultiJoin(spec) => spec.inputs.iter().any(|input| input.updating),
        OperatorSpec::TemporalJoin(spec) => spec.right.updating,
        OperatorSpec::Rank(spec) => spec.updating,
        OperatorSpec::Over(spec) => spec.form == OverForm::Corrected { updating: true },
        _ => false,
    }
}

/// An operator for people.
fn described(operator: &ChainedOperator) -> Result<String> {
    let found = operator::continuity(&operator.spec, &[], 0)?;
    let by = found.layouts.last().map(keys_of).unwrap_or_default();
    Ok(format!("{}{by}", operator.name))
}

fn keys_of(layout: &operator::Layout) -> String {
    let names: Vec<&str> = layout.keys.iter().map(|key| key.name.as_str()).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!(" by {}", names.join(", ")),
    }
}
