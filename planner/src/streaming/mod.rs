//! The streaming plan: what DataFusion's logical plan means on streams.
//!
//! A [`Plan`] is a graph of [`Node`]s in topological order. Each node knows its schema, what its
//! columns say about time, whether it updates, and its unique keys. Equal nodes over
//! equal inputs are one node, so the inserts of a statement set share what they have in common.
//!
//! ```text
//!   logical plan ──build──▶ nodes ──merge──▶ joins on one key are one
//!                          ──prune──▶ sources read what is needed
//!                          ──changelog──▶ modes; update-before only where somebody needs it
//! ```
//!
//! One kind of node, one file.

mod aggregate;
mod assign_window;
mod build;
mod calc;
mod changelog;
mod changelog_normalize;
mod changelog_table;
mod count_window;
mod expression;
mod group_aggregate;
mod join;
mod joins;
mod lookup_hints;
mod modules;
mod multi_join;
mod node;
mod order;
mod over;
mod pattern;
mod prune;
mod rank;
mod ranking;
mod scan;
mod sink;
mod sort;
mod state;
mod state_ttl;
mod temporal_join;
mod unnest;
mod upsert_materialize;
mod usage;
mod values;
mod varying;
mod window_aggregate;
mod window_functions;

pub use assign_window::{AssignWindow, Shape};
pub use build::Builder;
pub use calc::Calc;
pub use changelog::assign_modes;
pub(crate) use changelog::written_key;
pub use changelog_normalize::ChangelogNormalize;
pub(crate) use changelog_normalize::upsert_schema;
pub use changelog_table::{FromChangelog, ToChangelog};
pub(crate) use changelog_table::{log_key, wanted_in_order};
pub use count_window::CountWindow;
pub(crate) use expression::as_column;
pub(crate) use expression::substitute;
pub use expression::{ExprRef, text};
pub use group_aggregate::{Call, Function, GroupAggregate};
pub use join::Join;
pub use lookup_hints::Asking;
pub use modules::modules;
pub use multi_join::{MultiJoin, merge_joins};
pub use node::{Attribute, Node, NodeId, NodeKind, Plan, Properties};
pub use over::{Over, OverValue};
pub(crate) use pattern::order_columns;
pub use pattern::{MatchCondition, MatchVariable, PatternMatch};
pub use prune::prune;
pub(crate) use prune::read_columns;
pub use rank::{Keep, Rank};
pub(crate) use scan::source_factory;
pub use scan::{Read, Scan};
pub use sink::Sink;
pub use state::{GrowingState, Kept, States, Until};
pub(crate) use state::{duration, names};
pub use temporal_join::TemporalJoin;
pub use unnest::Unnest;
pub use upsert_materialize::{UpsertMaterialization, UpsertMaterialize};
pub use values::Values;
pub use window_aggregate::WindowAggregate;
