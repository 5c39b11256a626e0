//! UpsertMaterialize: what a table has by its PRIMARY KEY, from changes that come in any order.
//!
//! A sink that writes by key takes the last change of a key for the truth. That it is, if the query gives each key
//! at most one row and all changes of it in order ([`super::order`]). Where it does not, the rows that claim a key are
//! kept, and the table has the youngest of them: so it does not matter whether a row goes before or after another takes
//! its place. What is kept are the rows that there are, not those that there were. The same stands in front of TO_CHANGELOG
//! where updates are told without the row before.

use levada_engine::element::ChangelogMode;
use levada_engine::graph::RankFunction;
use levada_language::error::{PlanError, PlanErrorKind};

use super::build::Builder;
use super::changelog::written_key;
use super::{NodeId, NodeKind, Properties, Rank, Sink};

/// When rows are kept by the PRIMARY KEY of the table that they go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpsertMaterialization {
    /// Never: a table whose key is not the query's is refused.
    None,
    /// Where their changes may come in another order than they were made in.
    Auto,
    /// In front of every table with a PRIMARY KEY.
    Force,
}

/// Keeps the rows of each key and gives the youngest. The output has the columns of the input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UpsertMaterialize {
    /// The columns of the table's PRIMARY KEY.
    pub key: Vec<usize>,
    /// Whether it is there even if nothing needs it.
    pub(super) forced: bool,
    /// Whether rows that are taken back may have other values than when they came.
    pub(super) varies: bool,
}

impl UpsertMaterialize {
    pub(super) fn properties(&self, input: &Properties) -> Properties {
        Properties {
            updating: true,
            keys: vec![self.key.clone()],
            mode: ChangelogMode::Upsert,
            ..Properties::appending(input.schema.clone(), input.bounded)
        }
    }

    /// The same as a Top-1.
    pub fn rank(&self) -> Rank {
        Rank {
            function: RankFunction::RowNumber,
            partition_by: self.key.clone(),
            order_by: Vec::new(),
            from: 1,
            to: 1,
            number: false,
            window: None,
        }
    }
}

impl Builder<'_> {
    /// In front of a table with a PRIMARY KEY whose rows change; whether it is needed is found out when all is built.
    pub(super) fn materialized(&mut self, input: NodeId, sink: &Sink) -> Result<NodeId, PlanError> {
        let forced = match self.materialization {
            UpsertMaterialization::None => return Ok(input),
            UpsertMaterialization::Auto => false,
            UpsertMaterialization::Force => true,
        };
        let varies = self.varies_below(input);
        let properties = self.properties(input)?;
        let Some(key) = written_key(&sink.table).filter(|_| forced || properties.updating) else {
            return Ok(input);
        };
        let node = UpsertMaterialize {
            key,
            forced,
            varies,
        };
        let properties = node.properties(properties);
        let kind = NodeKind::UpsertMaterialize(node);
        Ok(self.plan.add(kind, vec![input], properties))
    }
}

/// A row would be looked for by a content that it did not have.
pub(super) fn varying(sink: &Sink) -> PlanError {
    let kind = PlanErrorKind::Unsupported;
    let what = format!(
        "rows that change are written to table {} with values that are computed anew each time",
        sink.table.name
    );
    PlanError::new(kind, what)
        .at(sink.location)
        .hint("the row that goes could not be found again; leave out functions such as RAND() and CURRENT_TIMESTAMP")
}
