//! Nodes, what is known about them, and the graph that holds them.

use std::collections::HashMap;

use arrow::datatypes::SchemaRef;
use levada_engine::element::ChangelogMode;

use super::{
    AssignWindow, Calc, ChangelogNormalize, CountWindow, FromChangelog, GroupAggregate, Join,
    MultiJoin, Over, PatternMatch, Rank, Scan, Sink, TemporalJoin, ToChangelog, Unnest,
    UpsertMaterialize, Values, WindowAggregate,
};
use levada_language::error::Location;

/// The position of a node in its plan.
pub type NodeId = usize;

/// What a node does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// Reads a table.
    Scan(Scan),
    /// Turns the upserts of a table into a changelog.
    ChangelogNormalize(ChangelogNormalize),
    /// Fixed rows.
    Values(Values),
    /// Filters and projects.
    Calc(Calc),
    /// Merges inputs of equal schema.
    Union,
    /// Appends window columns.
    AssignWindow(AssignWindow),
    /// Puts the elements of a collection to each row.
    Unnest(Unnest),
    /// Aggregates by window and key.
    WindowAggregate(WindowAggregate),
    /// Aggregates by key.
    GroupAggregate(GroupAggregate),
    /// Pairs the rows of two inputs, left and right; for ever, or as long as event time lets it.
    Join(Join),
    /// Puts the rows of several inputs together that have the same key.
    MultiJoin(MultiJoin),
    /// Puts each row of the left input to a version of a row of the right one.
    TemporalJoin(TemporalJoin),
    /// Numbers rows in order and passes on the first ones.
    Rank(Rank),
    /// Puts values behind each row that are computed from the rows around it.
    Over(Over),
    /// Finds matches of a pattern.
    Pattern(PatternMatch),
    /// Gives the rows of windows of so many rows.
    CountWindow(CountWindow),
    /// Keeps the rows of each key of a table and gives the youngest.
    UpsertMaterialize(UpsertMaterialize),
    /// Makes a row of every change.
    ToChangelog(ToChangelog),
    /// Makes a change of every row.
    FromChangelog(FromChangelog),
    /// Writes a table.
    Sink(Sink),
    /// Gives rows to the client.
    Collect,
}

/// What a column says about time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attribute {
    /// Nothing.
    None,
    /// Event time: the stream's watermark is about this column.
    EventTime,
    /// Processing time.
    ProcessingTime,
    /// The first instant of an event-time window that the node made.
    WindowStart(NodeId),
    /// The first instant after it.
    WindowEnd(NodeId),
    /// Its last instant; event time too.
    WindowTime(NodeId),
}

impl Attribute {
    /// Whether windows on event time can be on this column.
    pub fn is_event_time(self) -> bool {
        matches!(self, Attribute::EventTime | Attribute::WindowTime(_))
    }

    /// The node that made the window that it is about.
    pub(super) fn window(self) -> Option<NodeId> {
        match self {
            Attribute::WindowStart(id) | Attribute::WindowEnd(id) | Attribute::WindowTime(id) => {
                Some(id)
            }
            Attribute::None | Attribute::EventTime | Attribute::ProcessingTime => None,
        }
    }

    /// For EXPLAIN; empty for [`Attribute::None`].
    pub fn label(self) -> &'static str {
        match self {
            Attribute::None => "",
            Attribute::EventTime | Attribute::WindowTime(_) => "event time",
            Attribute::ProcessingTime => "processing time",
            Attribute::WindowStart(_) => "window start",
            Attribute::WindowEnd(_) => "window end",
        }
    }
}

/// What is known about the rows of a node.
#[derive(Debug, Clone)]
pub struct Properties {
    /// The columns.
    pub schema: SchemaRef,
    /// What each column says about time.
    pub attributes: Vec<Attribute>,
    /// Whether rows are ever changed or taken back.
    pub updating: bool,
    /// Sets of columns of which no two rows have the same values at any one time.
    pub keys: Vec<Vec<usize>>,
    /// Whether the rows end.
    pub bounded: bool,
    /// The kinds of rows; final after [`super::assign_modes`].
    pub mode: ChangelogMode,
}

impl Properties {
    /// Rows that are only ever added, with nothing known about keys and time.
    pub fn appending(schema: SchemaRef, bounded: bool) -> Self {
        let width = schema.fields().len();
        Properties {
            schema,
            attributes: vec![Attribute::None; width],
            updating: false,
            keys: Vec::new(),
            bounded,
            mode: ChangelogMode::Append,
        }
    }

    /// What a column says about time.
    pub fn attribute(&self, column: usize) -> Attribute {
        self.attributes
            .get(column)
            .copied()
            .unwrap_or(Attribute::None)
    }
}

/// A node with its inputs.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it does.
    pub kind: NodeKind,
    /// Where its rows come from, all before it in the plan.
    pub inputs: Vec<NodeId>,
    /// What is known about its rows.
    pub properties: Properties,
}

/// A graph of nodes, in topological order.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    nodes: Vec<Node>,
    known: HashMap<(NodeKind, Vec<NodeId>, Vec<String>), NodeId>,
    /// Where windows stand in the SQL.
    locations: HashMap<NodeId, Location>,
    /// The nodes that nothing reads: sinks and the client.
    pub outputs: Vec<NodeId>,
}

impl Plan {
    /// An empty plan.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node, or finds the one that does the same on the same inputs and calls its columns
    /// the same.
    pub fn add(&mut self, kind: NodeKind, inputs: Vec<NodeId>, properties: Properties) -> NodeId {
        let names = properties
            .schema
            .fields()
            .iter()
            .map(|f| f.name().clone())
            .collect();
        let key = (kind.clone(), inputs.clone(), names);
        if let Some(id) = self.known.get(&key) {
            return *id;
        }
        let id = self.nodes.len();
        self.nodes.push(Node {
            kind,
            inputs,
            properties,
        });
        self.known.insert(key, id);
        id
    }

    /// Adds an output, which is never shared.
    pub fn add_output(&mut self, node: Node) -> NodeId {
        let id = self.nodes.len();
        self.nodes.push(node);
        self.outputs.push(id);
        id
    }

    /// The node's place for the next [`Plan::add`], for attributes that refer to their maker.
    pub fn next_id(&self) -> NodeId {
        self.nodes.len()
    }

    /// Remembers where the node that will get this id stands in the SQL.
    pub(super) fn set_location(&mut self, id: NodeId, location: Option<Location>) {
        if let Some(location) = location {
            self.locations.entry(id).or_insert(location);
        }
    }

    /// Where a node stands in the SQL, if that is known.
    pub fn location(&self, id: NodeId) -> Option<Location> {
        self.locations.get(&id).copied()
    }

    /// The node with this id; ids come from this plan, so it is there.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// The node with this id, to change.
    pub fn node_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        self.nodes.get_mut(id)
    }

    /// All nodes with their ids, inputs before what reads them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate()
    }

    /// For each node, whether an output depends on it.
    pub fn live(&self) -> Vec<bool> {
        let mut live = vec![false; self.nodes.len()];
        for (id, node) in self.iter().rev() {
            let wanted = self.outputs.contains(&id) || live.get(id).copied().unwrap_or(false);
            if !wanted {
                continue;
            }
            for place in std::iter::once(&id).chain(&node.inputs) {
                if let Some(flag) = live.get_mut(*place) {
                    *flag = true;
                }
            }
        }
        live
    }
}
