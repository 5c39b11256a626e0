#![allow(clippy::unwrap_used)]
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::Schema;

use super::*;
use crate::checkpoint::{MANIFEST_VERSION, StateFile};
use crate::connector::{SplitState, TableDescriptor};
use crate::element::{Barrier, BarrierKind, ChangelogMode};
use crate::graph::AggregateFunction::{Count, Max, Sum};
use crate::graph::{
    AggregateCall, ChangelogNormalizeSpec, Edge, EdgeId, GroupAggregateSpec, JobId, JobSettings,
    OutputPort, Partitioning, SinkSpec, SourceSpec, ValuesSpec, Vertex, VertexId, WireBytes,
    WireSchema,
};
use crate::key::KeyGroupRange;
use crate::operator::Layout;
use crate::operator::testing::model::{self, call};

fn chained(uid: &str, spec: OperatorSpec, inputs: Vec<OperatorInput>) -> ChainedOperator {
    let (precise, coarse) = uid.split_once('/').unwrap();
    ChainedOperator {
        uid: precise.into(),
        coarse: coarse.into(),
        name: match &spec {
            OperatorSpec::Sink(_) => "Sink(out)".into(),
            OperatorSpec::GroupAggregate(_) => "GroupAggregate".into(),
            OperatorSpec::ChangelogNormalize(_) => "ChangelogNormalize".into(),
            _ => "Source(in)".into(),
        },
        spec,
        inputs,
        schema: WireSchema(Arc::new(Schema::empty())),
    }
}

fn source() -> OperatorSpec {
    OperatorSpec::Values(ValuesSpec {
        ipc: WireBytes(vec![]),
    })
}

fn sink() -> OperatorSpec {
    OperatorSpec::Sink(SinkSpec {
        table: TableDescriptor {
            name: "out".into(),
            connector: "test".into(),
            schema: WireSchema(Arc::new(Schema::empty())),
            metadata: BTreeMap::new(),
            primary_key: vec![],
            partitioned_by: vec![],
            options: BTreeMap::new(),
        },
        input_mode: ChangelogMode::Append,
    })
}

fn group(calls: &[AggregateCall], updating: bool) -> OperatorSpec {
    OperatorSpec::GroupAggregate(GroupAggregateSpec {
        keys: vec![0],
        aggregates: calls.to_vec(),
        input: model::input().into(),
        input_updating: updating,
        partial_input: false,
        emit_update_before: true,
        ttl_ms: 0,
    })
}

/// A source in a vertex of its own, and behind it the others in a chain; each is `uid/coarse`.
fn graph(first: &str, rest: Vec<(&str, OperatorSpec)>) -> JobGraph {
    let vertex = |id, operators| Vertex {
        id: VertexId(id),
        name: String::new(),
        parallelism: 2,
        operators,
    };
    let input = |at: usize| match at.checked_sub(1) {
        None => OperatorInput::Edge(EdgeId(0)),
        Some(operator) => OperatorInput::Chained {
            operator,
            port: OutputPort::Main,
        },
    };
    let rest = rest.into_iter().enumerate();
    let rest = rest.map(|(at, (uid, spec))| chained(uid, spec, vec![input(at)]));
    JobGraph {
        name: "test".into(),
        vertices: vec![
            vertex(0, vec![chained(first, source(), vec![])]),
            vertex(1, rest.collect()),
        ],
        edges: vec![Edge {
            id: EdgeId(0),
            from: VertexId(0),
            from_operator: 0,
            from_port: OutputPort::Main,
            to: VertexId(1),
            partitioning: Partitioning::Hash(vec![0]),
            schema: WireSchema(Arc::new(Schema::empty())),
        }],
        settings: JobSettings::default(),
    }
}

fn state(coarse: &str, layouts: Vec<Layout>) -> OperatorState {
    OperatorState {
        name: "GroupAggregate".into(),
        coarse: coarse.into(),
        parallelism: 2,
        keyed: vec![StateFile {
            path: format!("state/{coarse}"),
            key_groups: KeyGroupRange::all(128),
            bytes: 1,
            entries: 1,
            seal: 1,
        }],
        layouts,
        ..OperatorState::default()
    }
}

fn positions() -> OperatorState {
    OperatorState {
        name: "Source(in)".into(),
        coarse: "in".into(),
        splits: vec![SplitState {
            split: "0".into(),
            position: WireBytes(vec![]),
            watermark: None,
            finished: false,
        }],
        ..OperatorState::default()
    }
}

fn manifest(operators: Vec<(&str, OperatorState)>) -> Manifest {
    let operators = operators.into_iter().map(|(uid, s)| (uid.to_string(), s));
    Manifest {
        attempt: 1,
        in_flight: Vec::new(),
        channels: Vec::new(),
        version: MANIFEST_VERSION,
        job: JobId("j".into()),
        barrier: Barrier {
            checkpoint_id: 3,
            kind: BarrierKind::Checkpoint,
            overtakes_at_ms: None,
        },
        completed_ms: 0,
        max_parallelism: 128,
        operators: operators.collect(),
    }
}

fn layouts(spec: &OperatorSpec) -> Vec<Layout> {
    operator::continuity(spec, &[], 0).unwrap().layouts
}

fn count() -> AggregateCall {
    call(Count, false, None, None, "BIGINT")
}

fn sum() -> AggregateCall {
    AggregateCall {
        name: "SUM(v)".into(),
        ..call(Sum, false, Some(2), None, "BIGINT")
    }
}

/// A source at a position, and an aggregation of these calls.
fn counted(calls: &[AggregateCall], updating: bool) -> Manifest {
    let layouts = layouts(&group(calls, updating));
    manifest(vec![("s", positions()), ("a", state("A", layouts))])
}

fn allowing(mut graph: JobGraph) -> JobGraph {
    graph.settings.checkpoints.ignore_unclaimed_state = true;
    graph
}

/// Refused for these reasons, and if they are allowed, the operators that keep state.
#[track_caller]
fn check_refused(manifest: &Manifest, graph: JobGraph, reasons: &[&str], kept: &[&str]) {
    let error = manifest.restore(&graph).unwrap_err();
    assert_eq!(error.kind, crate::ErrorKind::Checkpoint);
    assert_eq!(error.detail.unwrap(), reasons.join("; "));
    assert!(error.hint.unwrap().contains("ignore-unclaimed-state"));
    let restored = manifest.restore(&allowing(graph)).unwrap();
    for reason in reasons {
        assert!(restored.listing.iter().any(|line| line == reason));
    }
    let uids: Vec<&str> = restored
        .manifest
        .operators
        .keys()
        .map(|u| u.as_str())
        .collect();
    assert_eq!(uids, kept);
}

#[track_caller]
fn check_listing(manifest: &Manifest, graph: &JobGraph, lines: &[&str]) -> Manifest {
    let restored = manifest.restore(graph).unwrap();
    assert_eq!(restored.listing, lines);
    restored.manifest
}

#[test]
fn state_goes_to_its_operator_by_the_precise_id_or_the_coarse() {
    let same = graph("s/in", vec![("a/A", group(&[count()], false))]);
    let lines = ["Source(in) goes on", "GroupAggregate by k goes on"];
    let found = check_listing(&counted(&[count()], false), &same, &lines);
    assert_eq!(found, counted(&[count()], false));
    let edited = graph("s/in", vec![("b/A", group(&[sum(), count()], false))]);
    let lines = [
        "Source(in) goes on",
        "GroupAggregate by k goes on; from here on: SUM(v)",
    ];
    let found = check_listing(&counted(&[count()], false), &edited, &lines);
    assert_eq!(found.operators["b"].keyed[0].path, "state/A");
    assert!(!found.operators.contains_key("a"));
}

#[test]
fn manifests_without_coarse_ids_and_layouts_are_taken_over_by_the_same_query() {
    let mut old = counted(&[count()], false);
    old.version = 2;
    for state in old.operators.values_mut() {
        state.coarse.clear();
        state.layouts.clear();
    }
    // Neither is written where there is none.
    let text = serde_json::to_value(&old).unwrap();
    assert!(text["operators"]["a"].get("layouts").is_none());
    let same = graph("s/in", vec![("a/A", group(&[count()], false))]);
    let lines = ["Source(in) goes on", "GroupAggregate by k goes on"];
    check_listing(&old, &same, &lines);
    let edited = graph("s/in", vec![("b/A", group(&[count()], false))]);
    let reasons = ["GroupAggregate (a) has no successor: its state is dropped"];
    check_refused(&old, edited, &reasons, &["s"]);
}

#[test]
fn state_that_nobody_claims_is_refused_unless_allowed() {
    let other = graph("s/in", vec![("b/B", group(&[count()], false))]);
    let reasons = ["GroupAggregate by k (a) has no successor: its state is dropped"];
    check_refused(&counted(&[count()], false), other, &reasons, &["s"]);
    // Two operators could claim it, and nobody knows which: neither does.
    let ambiguous = graph(
        "s/in",
        vec![
            ("b/A", group(&[count()], false)),
            ("c/A", group(&[sum()], false)),
        ],
    );
    check_refused(&counted(&[count()], false), ambiguous, &reasons, &["s"]);
    // A name says less than where the key comes from.
    let renamed = graph("s/in", vec![("a/B", group(&[count()], false))]);
    check_refused(&counted(&[count()], false), renamed, &reasons, &["s"]);
}

#[test]
fn a_branch_more_takes_nothing_from_the_others() {
    let both = graph(
        "s/in",
        vec![
            ("a/A", group(&[count()], false)),
            ("b/A", group(&[sum()], false)),
            ("c/C", group(&[sum()], false)),
        ],
    );
    let lines = [
        "Source(in) goes on",
        "GroupAggregate by k goes on",
        "GroupAggregate by k starts empty",
        "GroupAggregate by k starts empty",
    ];
    check_listing(&counted(&[count()], false), &both, &lines);
}

#[test]
fn calls_that_are_gone_go_and_those_that_might_be_renamed_do_not() {
    let max = AggregateCall {
        name: "MAX(v)".into(),
        ..call(Max, false, Some(2), None, "BIGINT")
    };
    let fewer = graph("s/in", vec![("b/A", group(&[count()], false))]);
    let lines = [
        "Source(in) goes on",
        "GroupAggregate by k goes on; dropped: SUM(v)",
    ];
    check_listing(&counted(&[count(), sum()], false), &fewer, &lines);
    let replaced = graph("s/in", vec![("b/A", group(&[count(), max], false))]);
    let reasons = [
        "GroupAggregate by k goes on; from here on: MAX(v); dropped: SUM(v) (it cannot be told \
         whether one stands for the other)",
    ];
    let from = counted(&[count(), sum()], false);
    check_refused(&from, replaced, &reasons, &["b", "s"]);
}

#[test]
fn types_that_have_changed_are_named() {
    let mut text = sum();
    text.argument = Some(5);
    text.argument_type = call(Sum, false, Some(5), None, "DOUBLE").argument_type;
    text.result_type = text.argument_type.clone();
    let changed = graph("s/in", vec![("b/A", group(&[text], false))]);
    let reasons = [
        "GroupAggregate by k goes on; anew: SUM(v), which was over BIGINT and is over DOUBLE \
         (what was accumulated does not fit)",
    ];
    check_refused(&counted(&[sum()], false), changed, &reasons, &["b", "s"]);
    let mut keyed = counted(&[sum()], false);
    let layouts = &mut keyed.operators.get_mut("a").unwrap().layouts;
    layouts[0].keys[0].data_type = call(Sum, false, Some(3), None, "INT").argument_type;
    let wider = graph("s/in", vec![("a/A", group(&[sum()], false))]);
    let reasons = ["GroupAggregate by k would start empty: its key k was of INT and is of BIGINT"];
    check_refused(&keyed, wider, &reasons, &["s"]);
}

#[test]
fn nothing_begins_in_the_middle_of_updates() {
    let more = graph("s/in", vec![("b/A", group(&[count(), sum()], true))]);
    let reasons = [
        "GroupAggregate by k goes on; from here on: SUM(v) (its input takes back rows that the \
         new ones have not seen)",
    ];
    check_refused(&counted(&[count()], true), more, &reasons, &["b", "s"]);
    let behind = graph(
        "s/in",
        vec![
            ("a/A", group(&[count()], false)),
            ("b/B", group(&[sum()], true)),
        ],
    );
    let reasons =
        ["GroupAggregate by k starts empty, and its input takes back rows that it has not seen"];
    check_refused(&counted(&[count()], false), behind, &reasons, &["a", "s"]);
    // Behind an aggregation that starts empty too it has seen everything.
    let fresh = graph(
        "s/in",
        vec![
            ("b/B", group(&[sum()], false)),
            ("c/C", group(&[sum()], true)),
        ],
    );
    let lines = [
        "Source(in) goes on",
        "GroupAggregate by k starts empty",
        "GroupAggregate by k starts empty",
    ];
    check_listing(&manifest(vec![("s", positions())]), &fresh, &lines);
}

/// The last rows of a table by `k`, with these of its columns.
fn normalize(columns: &[usize]) -> OperatorSpec {
    let rows = Arc::new(model::input().project(columns).unwrap());
    OperatorSpec::ChangelogNormalize(ChangelogNormalizeSpec {
        keys: vec![0],
        identities: rows.fields().iter().map(|f| f.name().clone()).collect(),
        rows: rows.into(),
        emit_update_before: true,
        ttl_ms: 0,
    })
}

/// A graph whose source delivers upserts.
fn of_upserts(rest: Vec<(&str, OperatorSpec)>) -> JobGraph {
    let OperatorSpec::Sink(SinkSpec { table, .. }) = sink() else {
        return graph("s/in", rest);
    };
    let mut graph = graph("s/in", rest);
    graph.vertices[0].operators[0].spec = OperatorSpec::Source(Box::new(SourceSpec {
        table,
        read_schema: model::input().into(),
        compute: None,
        watermark: None,
        bounded: false,
        divert_late: false,
        divert_bad: false,
        mode: ChangelogMode::Upsert,
    }));
    graph
}

#[test]
fn kept_rows_go_on_if_they_have_the_columns_that_are_read() {
    let kept = || state("N", layouts(&normalize(&[0, 1, 2])));
    let from = manifest(vec![("s", positions()), ("n", kept())]);
    let same = of_upserts(vec![("n/N", normalize(&[0, 2, 1]))]);
    let lines = ["Source(in) goes on", "ChangelogNormalize by k goes on"];
    check_listing(&from, &same, &lines);
    let fewer = of_upserts(vec![("n/N", normalize(&[0, 2]))]);
    let lines = [
        "Source(in) goes on",
        "ChangelogNormalize by k goes on; dropped: s",
    ];
    check_listing(&from, &fewer, &lines);
    let more = of_upserts(vec![("n/N", normalize(&[0, 1, 2, 3]))]);
    let reasons = ["ChangelogNormalize by k would start empty: the rows that it kept lack w"];
    check_refused(&from, more, &reasons, &["s"]);
    // Its source has read on, and it would not know the rows that are replaced.
    let from = manifest(vec![("s", positions())]);
    let anew = of_upserts(vec![("n/N", normalize(&[0, 1]))]);
    let reasons = [
        "ChangelogNormalize by k starts empty, and its input takes back rows that it has not seen",
    ];
    check_refused(&from, anew, &reasons, &["s"]);
    let nothing = manifest(vec![]);
    let anew = of_upserts(vec![("n/N", normalize(&[0, 1]))]);
    let lines = [
        "Source(in) starts at its beginning",
        "ChangelogNormalize by k starts empty",
    ];
    check_listing(&nothing, &anew, &lines);
}

#[test]
fn what_a_sink_has_prepared_is_not_forgotten() {
    let prepared = OperatorState {
        name: "Sink(out)".into(),
        coarse: "O".into(),
        committables: vec![(0, WireBytes(vec![1]))],
        ..OperatorState::default()
    };
    let from = manifest(vec![("s", positions()), ("o", prepared)]);
    let same = graph("s/in", vec![("o/O", sink())]);
    check_listing(&from, &same, &["Source(in) goes on", "Sink(out) goes on"]);
    // The second of two inserts into the table; the first is gone.
    let renumbered = graph("s/in", vec![("o2/O", sink())]);
    let found = from.restore(&renumbered).unwrap().manifest;
    assert_eq!(found.operators["o2"].committables.len(), 1);
    let reasons = [
        "Sink(out) (o) has no successor: what it has prepared and may not have committed is \
         dropped",
    ];
    check_refused(&from, graph("s/in", vec![]), &reasons, &["s"]);
    let nothing = OperatorState {
        name: "Sink(out)".into(),
        ..OperatorState::default()
    };
    let from = manifest(vec![("s", positions()), ("o", nothing)]);
    check_listing(&from, &graph("s/in", vec![]), &["Source(in) goes on"]);
}

#[test]
fn another_number_of_key_groups_is_refused() {
    let mut from = counted(&[count()], false);
    from.max_parallelism = 64;
    let error = from.restore(&graph("s/in", vec![])).unwrap_err();
    assert!(
        error
            .hint
            .unwrap()
            .contains("'pipeline.max-parallelism' = '64'")
    );
}
