//! The streaming plan as indented trees, one for each output. A node that several nodes read is
//! printed where it is read first, and referred to by number afterwards.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use arrow::datatypes::{FieldRef, Schema};
use levada_engine::connector::LookupCache;
use levada_engine::element::ChangelogMode;
use levada_engine::graph::{JoinTime, OrderColumn, OverForm, UnnestColumn};

use super::cost::Estimates;
use super::pattern::pattern_line;
use crate::parser::names::element_columns;
use crate::parser::rewrite::show_codes;
use crate::streaming::{
    Attribute, Call, CountWindow, FromChangelog, GroupAggregate, Join, Keep, Kept, MultiJoin, Node,
    NodeId, NodeKind, Over, Plan, Properties, Rank, Scan, States, TemporalJoin, ToChangelog,
    Unnest, WindowAggregate, duration, names, text as sql,
};

/// The trees; `changelog` adds mode, keys, time attributes and state to each node, `costs` what it may cost.
pub(super) fn text(
    plan: &Plan,
    states: &States<'_>,
    changelog: bool,
    costs: Option<&Estimates>,
) -> String {
    let mut printer = Printer {
        plan,
        states,
        changelog,
        costs,
        readers: readers(plan),
        printed: BTreeMap::new(),
        out: String::new(),
    };
    for output in &plan.outputs {
        printer.print(*output, 0);
    }
    printer.out
}

fn readers(plan: &Plan) -> BTreeMap<NodeId, usize> {
    let live = plan.live();
    let mut readers = BTreeMap::new();
    for (id, node) in plan.iter() {
        if live.get(id).copied().unwrap_or(false) {
            for input in &node.inputs {
                *readers.entry(*input).or_insert(0) += 1;
            }
        }
    }
    readers
}

struct Printer<'a> {
    plan: &'a Plan,
    states: &'a States<'a>,
    changelog: bool,
    costs: Option<&'a Estimates>,
    readers: BTreeMap<NodeId, usize>,
    /// Shared nodes that are printed already, by the number that they got.
    printed: BTreeMap<NodeId, usize>,
    out: String,
}

impl Printer<'_> {
    fn print(&mut self, id: NodeId, depth: usize) {
        let Some(node) = self.plan.node(id) else {
            return;
        };
        let indent = "  ".repeat(depth);
        if let Some(number) = self.printed.get(&id) {
            let _ = writeln!(self.out, "{indent}Shared({number})");
            return;
        }
        let _ = write!(self.out, "{indent}{}", self.line(node));
        if self.readers.get(&id).copied().unwrap_or(0) > 1 {
            let number = self.printed.len() + 1;
            self.printed.insert(id, number);
            let _ = write!(self.out, " [shared: {number}]");
        }
        if self.changelog {
            let kept = self.states.kept(node);
            let _ = write!(self.out, ", {}", changelog(node, &kept));
        }
        if let Some(costs) = self.costs {
            let _ = write!(self.out, ": {}", costs.line(id));
        }
        self.out.push('\n');
        for input in &node.inputs {
            self.print(*input, depth + 1);
        }
    }

    fn line(&self, node: &Node) -> String {
        let input = node.inputs.first().and_then(|id| self.plan.node(*id));
        let empty = Schema::empty();
        let below = input.map_or(&empty, |n| n.properties.schema.as_ref());
        match &node.kind {
            NodeKind::Scan(scan) => scan_line(scan),
            NodeKind::Values(values) => format!("Values(rows={})", values.rows.num_rows()),
            NodeKind::Calc(calc) => {
                let columns: Vec<String> = calc
                    .projection
                    .iter()
                    .zip(node.properties.schema.fields())
                    .map(|(expr, field)| aliased(&sql(expr), field.name()))
                    .collect();
                match &calc.filter {
                    Some(filter) => {
                        format!(
                            "Calc(select=[{}], where=[{}])",
                            columns.join(", "),
                            sql(filter)
                        )
                    }
                    None => format!("Calc(select=[{}])", columns.join(", ")),
                }
            }
            NodeKind::Union => "Union".to_string(),
            NodeKind::AssignWindow(window) => format!(
                "AssignWindow(window={}, time={})",
                window.window,
                time(below, window.time)
            ),
            NodeKind::Unnest(unnest) => format!(
                "Unnest(kind={}, collection={}, select=[{}])",
                if unnest.outer { "left" } else { "inner" },
                names(below, &[unnest.collection]),
                unnested(unnest, below, &node.properties.schema)
            ),
            NodeKind::WindowAggregate(aggregate) => window_aggregate_line(aggregate, below),
            NodeKind::GroupAggregate(aggregate) => group_aggregate_line(aggregate, below),
            NodeKind::ChangelogNormalize(normalize) => {
                format!(
                    "ChangelogNormalize(key=[{}])",
                    names(below, &normalize.keys)
                )
            }
            NodeKind::Join(join) => self.join_line(join, node),
            NodeKind::MultiJoin(join) => self.multi_join_line(join, node),
            NodeKind::TemporalJoin(join) => self.temporal_join_line(join, node),
            NodeKind::Rank(rank) => {
                input.map_or_else(String::new, |input| rank_line(rank, &input.properties))
            }
            NodeKind::Over(over) => {
                input.map_or_else(String::new, |input| over_line(over, &input.properties))
            }
            NodeKind::Pattern(pattern) => pattern_line(pattern, below),
            NodeKind::CountWindow(window) => count_window_line(window, below),
            NodeKind::ToChangelog(to) => to_changelog_line(to, below),
            NodeKind::FromChangelog(from) => from_changelog_line(from, below),
            NodeKind::UpsertMaterialize(materialize) => {
                format!(
                    "UpsertMaterialize(key=[{}])",
                    names(below, &materialize.key)
                )
            }
            NodeKind::Sink(sink) => format!("Sink(table={})", sink.table.name),
            NodeKind::Collect => "Collect".to_string(),
        }
    }

    fn join_line(&self, join: &Join, node: &Node) -> String {
        let (Some(left), Some(right)) = (self.input(node, 0), self.input(node, 1)) else {
            return String::new();
        };
        let same = match join.null_equals_null {
            true => "IS NOT DISTINCT FROM",
            false => "=",
        };
        let on = pairs(left, &join.left_keys, same, right, &join.right_keys);
        let name = join.name(left);
        let mut line = format!("{name}(kind={}, on=[{on}]", join.label());
        if let Some(time) = join.time {
            let _ = write!(line, ", time=[{}]", join_time(time, left, right));
        }
        if let Some(condition) = &join.condition {
            let _ = write!(line, ", where=[{}]", sql(condition));
        }
        if join.ttl_ms != [None, None] {
            let [left, right] = join.ttl_ms.map(|ttl| ttl.map_or("-".to_string(), duration));
            let _ = write!(line, ", ttl=[{left}, {right}]");
        }
        line.push(')');
        line
    }

    fn multi_join_line(&self, join: &MultiJoin, node: &Node) -> String {
        let mut kinds = Vec::new();
        let mut on = Vec::new();
        for (place, (keys, padded)) in join.keys.iter().zip(&join.padded).enumerate() {
            let schema = self.input(node, place).map(|rows| &rows.schema);
            let keys = schema.map_or(String::new(), |schema| names(schema, keys));
            on.push(format!("({keys})"));
            kinds.push(if *padded { "left" } else { "inner" });
        }
        // The first is joined with those behind it.
        let kinds = kinds.get(1..).unwrap_or_default().join(", ");
        format!("MultiJoin(kinds=[{kinds}], on=[{}])", on.join(" = "))
    }

    fn temporal_join_line(&self, join: &TemporalJoin, node: &Node) -> String {
        let (Some(left), Some(right)) = (self.input(node, 0), self.input(node, 1)) else {
            return String::new();
        };
        let on = pairs(left, &join.left_keys, "=", right, &join.right_keys);
        if let Some(cache) = join.lookup {
            let mut line = format!(
                "LookupJoin(kind={}, on=[{on}], cache=[{}]",
                join.label(),
                lookup_cache(cache)
            );
            if let Some(condition) = &join.condition {
                let _ = write!(line, ", where=[{}]", sql(condition));
            }
            line.push(')');
            return line;
        }
        let as_of = match join.as_of {
            Some(as_of) => {
                let sign = if as_of.earlier { ">" } else { ">=" };
                let (row, version) = (
                    names(&left.schema, &[as_of.left]),
                    names(&right.schema, &[as_of.right]),
                );
                format!("left.{row} {sign} right.{version}")
            }
            None => "processing time".to_string(),
        };
        let mut line = format!(
            "TemporalJoin(kind={}, on=[{on}], as_of=[{as_of}]",
            join.label()
        );
        if let Some(exists) = join.exists {
            let _ = write!(line, ", exists=[{}]", names(&right.schema, &[exists]));
        }
        if let Some(condition) = &join.condition {
            let _ = write!(line, ", where=[{}]", sql(condition));
        }
        line.push(')');
        line
    }

    /// What is known of the rows of an input.
    fn input(&self, node: &Node, place: usize) -> Option<&Properties> {
        let input = node.inputs.get(place).and_then(|id| self.plan.node(*id));
        input.map(|input| &input.properties)
    }
}

/// What is kept of a table that is asked by key.
fn lookup_cache(cache: LookupCache) -> String {
    let millis = |name: &str, value: Option<u64>| value.map(|ms| format!("{name}={ms} ms"));
    match cache {
        LookupCache::None => "none".to_string(),
        LookupCache::Full { reload_ms } => {
            let reload = millis("reload", reload_ms).into_iter();
            std::iter::once("full".to_string())
                .chain(reload)
                .collect::<Vec<_>>()
                .join(", ")
        }
        LookupCache::Partial(partial) => {
            let rows = partial.max_rows.map(|rows| format!("max_rows={rows}"));
            let write = millis("expire_after_write", partial.expire_after_write_ms);
            let access = millis("expire_after_access", partial.expire_after_access_ms);
            let missing = (!partial.missing_keys).then(|| "no missing keys".to_string());
            let parts = [Some("partial".to_string()), rows, write, access, missing];
            parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
        }
    }
}

/// What is equal on both sides.
fn pairs(
    left: &Properties,
    left_keys: &[usize],
    same: &str,
    right: &Properties,
    right_keys: &[usize],
) -> String {
    let pairs = left_keys.iter().zip(right_keys);
    let pairs = pairs.map(|(l, r)| {
        let (l, r) = (names(&left.schema, &[*l]), names(&right.schema, &[*r]));
        format!("{l} {same} {r}")
    });
    pairs.collect::<Vec<_>>().join(", ")
}

/// What event time compares: the ends of windows, or times with the bounds of their difference.
fn join_time(time: JoinTime, left: &Properties, right: &Properties) -> String {
    let first = names(&left.schema, &[time.left.column]);
    let second = names(&right.schema, &[time.right.column]);
    if let Attribute::WindowEnd(_) = left.attribute(time.left.column) {
        return format!("left.{first} = right.{second}");
    }
    let (lower, upper) = (-i128::from(time.left.after_ms), time.right.after_ms);
    format!("left.{first} - right.{second} from {lower}ms to {upper}ms")
}

/// What a scan reads.
fn scan_line(scan: &Scan) -> String {
    let mut line = format!("Scan(table={}", scan.table.name);
    if let Some(read) = &scan.read {
        let _ = write!(line, ", read=[{}]", fields(&read.schema));
        if let Some((_, watermark)) = &read.watermark {
            let _ = write!(line, ", watermark={}", sql(watermark));
        }
    }
    line.push_str(if scan.bounded { ", bounded)" } else { ")" });
    line
}

fn rank_line(rank: &Rank, input: &Properties) -> String {
    let key = names(&input.schema, &rank.partition_by);
    let number = if rank.number { ", number" } else { "" };
    let window = rank.window.map_or(String::new(), |window| {
        format!("window=[{}], ", names(&input.schema, &[window.column]))
    });
    let of_window = if rank.window.is_some() { "Window" } else { "" };
    if let Some(keep) = rank.deduplicates(input) {
        let keep = match keep {
            Keep::First => "FirstRow",
            Keep::Last => "LastRow",
        };
        let event_time = |order: &OrderColumn| input.attribute(order.column).is_event_time();
        let order = match rank.order_by.iter().any(event_time) {
            true => "ROWTIME",
            false => "PROCTIME",
        };
        return format!(
            "{of_window}Deduplicate({window}keep=[{keep}], key=[{key}], order=[{order}]{number})"
        );
    }
    let strategy = match input.updating {
        true => "retract",
        false => "append",
    };
    let order = order(&rank.order_by, input);
    format!(
        "{of_window}Rank({window}strategy=[{strategy}], function=[{}], range=[{} to {}], key=[{key}], order=[{order}]{number})",
        rank.label(),
        rank.from,
        rank.to,
    )
}

fn over_line(over: &Over, input: &Properties) -> String {
    if over.values.is_empty() {
        return format!("TemporalSort(order=[{}])", order(&over.order_by, input));
    }
    let form = match over.form {
        OverForm::Time => "event time",
        OverForm::Arrival => "arrival",
        OverForm::Corrected { updating: true } => "retract",
        OverForm::Corrected { updating: false } => "corrected",
    };
    let values: Vec<&str> = over
        .values
        .iter()
        .map(|value| value.name.as_str())
        .collect();
    format!(
        "Over(strategy=[{form}], key=[{}], order=[{}], select=[{}])",
        names(&input.schema, &over.partition_by),
        order(&over.order_by, input),
        values.join(", "),
    )
}

fn order(order_by: &[OrderColumn], input: &Properties) -> String {
    let order: Vec<String> = order_by.iter().map(|o| ordered(o, input)).collect();
    match order.as_slice() {
        [] => "arrival".to_string(),
        some => some.join(", "),
    }
}

/// A column as ORDER BY has it; where NULL comes is said if it comes elsewhere than it would by itself.
fn ordered(order: &OrderColumn, input: &Properties) -> String {
    let mut shown = names(&input.schema, &[order.column]);
    if order.descending {
        shown.push_str(" DESC");
    }
    match (order.descending, order.nulls_first) {
        (false, true) => shown.push_str(" NULLS FIRST"),
        (true, false) => shown.push_str(" NULLS LAST"),
        _ => {}
    }
    shown
}

/// The columns of the output: those of the row by their names, those of the element by what they are.
fn unnested(unnest: &Unnest, below: &Schema, output: &Schema) -> String {
    let collection = below.fields().get(unnest.collection);
    let fields = collection.and_then(|c| element_columns(c.data_type()));
    let field_name = |place: usize| fields.as_ref()?.get(place)?.name.clone();
    let column = |(column, field): (&UnnestColumn, &FieldRef)| {
        let own = match column {
            UnnestColumn::Input(index) => names(below, &[*index]),
            UnnestColumn::Element => "element".to_string(),
            UnnestColumn::Field(place) => {
                format!("element.{}", field_name(*place).unwrap_or_default())
            }
            UnnestColumn::Ordinality => "ordinality".to_string(),
        };
        aliased(&own, field.name())
    };
    let columns = unnest.columns.iter().zip(output.fields()).map(column);
    columns.collect::<Vec<_>>().join(", ")
}

fn aliased(expr: &str, name: &str) -> String {
    match expr == name {
        true => expr.to_string(),
        false => format!("{expr} AS {name}"),
    }
}

/// The columns, with the fields of ROWs that are read.
fn fields(schema: &Schema) -> String {
    fn shown(field: &arrow::datatypes::Field) -> String {
        match field.data_type() {
            arrow::datatypes::DataType::Struct(inner) => {
                let inner: Vec<String> = inner.iter().map(|f| shown(f)).collect();
                format!("{}({})", field.name(), inner.join(", "))
            }
            _ => field.name().clone(),
        }
    }
    let all: Vec<String> = schema.fields().iter().map(|f| shown(f)).collect();
    all.join(", ")
}

fn time(schema: &Schema, column: Option<usize>) -> String {
    match column {
        Some(column) => names(schema, &[column]),
        None => "processing time".to_string(),
    }
}

fn calls(calls: &[Call]) -> String {
    calls
        .iter()
        .map(|call| call.name.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}

fn changelog(node: &Node, kept: &[Kept]) -> String {
    let properties = &node.properties;
    let mode = match properties.mode {
        ChangelogMode::Append => "append [+I]",
        ChangelogMode::Upsert => "upsert [+I, +U, -D]",
        ChangelogMode::Retract => "retract [+I, -U, +U, -D]",
    };
    let mut line = format!("mode={mode}");
    if !properties.keys.is_empty() {
        let keys: Vec<String> = properties
            .keys
            .iter()
            .map(|key| format!("({})", names(&properties.schema, key)))
            .collect();
        let _ = write!(line, ", keys=[{}]", keys.join(", "));
    }
    let times: Vec<String> = properties
        .schema
        .fields()
        .iter()
        .zip(&properties.attributes)
        .filter(|(_, attribute)| !attribute.label().is_empty())
        .map(|(field, attribute)| format!("{}: {}", field.name(), attribute.label()))
        .collect();
    if !times.is_empty() {
        let _ = write!(line, ", time=[{}]", times.join(", "));
    }
    if !kept.is_empty() {
        let kept: Vec<String> = kept.iter().map(Kept::to_string).collect();
        let _ = write!(line, ", state=[{}]", kept.join(", "));
    }
    line
}

fn window_aggregate_line(aggregate: &WindowAggregate, below: &Schema) -> String {
    format!(
        "WindowAggregate(window={}, time={}, keys=[{}], select=[{}])",
        aggregate.window,
        time(below, aggregate.time),
        names(below, &aggregate.keys),
        calls(&aggregate.calls)
    )
}

fn count_window_line(window: &CountWindow, below: &Schema) -> String {
    format!(
        "CountWindow(size={}, slide={}, keys=[{}])",
        window.size,
        window.slide,
        names(below, &window.partition_by)
    )
}

fn group_aggregate_line(aggregate: &GroupAggregate, below: &Schema) -> String {
    let ttl = aggregate
        .ttl_ms
        .map(|ms| format!(", ttl=[{}]", duration(ms)));
    let name = match aggregate.whole {
        true => "WholeAggregate",
        false => "GroupAggregate",
    };
    format!(
        "{name}(keys=[{}], select=[{}]{})",
        names(below, &aggregate.keys),
        calls(&aggregate.calls),
        ttl.unwrap_or_default()
    )
}

fn to_changelog_line(to: &ToChangelog, below: &Schema) -> String {
    let codes = show_codes(&to.codes);
    match to.partition_by.is_empty() {
        true => format!("ToChangelog(codes=[{codes}])"),
        false => format!(
            "ToChangelog(codes=[{codes}], keys=[{}])",
            names(below, &to.partition_by)
        ),
    }
}

fn from_changelog_line(from: &FromChangelog, below: &Schema) -> String {
    let op = names(below, &[from.op]);
    let others = if from.skip { ", others=skip" } else { "" };
    format!(
        "FromChangelog(op={op}, codes=[{}]{others})",
        show_codes(&from.codes)
    )
}
