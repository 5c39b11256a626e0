//! Tables of upserts become changelogs.

use levada_engine::graph::{ChangelogNormalizeSpec, OperatorSpec, WireSchema};
use levada_engine::operator::aggregate::check_normalize;

use super::aggregates::{names, unsupported};
use super::lineage::Lineage;
use super::operators::Lowering;
use crate::streaming::{ChangelogNormalize, Node};
use levada_language::error::PlanError;

impl Lowering<'_> {
    pub(super) fn changelog_normalize(
        &mut self,
        normalize: &ChangelogNormalize,
        node: &Node,
    ) -> Result<usize, PlanError> {
        let input = self.input_of(node)?;
        let by_key = self.by_key(input, &normalize.keys)?;
        let rows = &node.properties.schema;
        let content = format!("ChangelogNormalize keys={}", names(rows, &normalize.keys));
        let below = &self.get(input)?.lineage;
        let keys = below.names(&normalize.keys).join("\u{1f}");
        let coarse = format!("ChangelogNormalize by {keys}");
        let lineage = Lineage::base(&coarse, &[below], below.columns());
        let spec = ChangelogNormalizeSpec {
            keys: normalize.keys.clone(),
            rows: WireSchema(rows.clone()),
            identities: below.columns(),
            emit_update_before: normalize.emit_update_before,
            ttl_ms: self.planning.state_ttl_ms,
        };
        check_normalize(&spec).map_err(unsupported)?;
        // The id does not name the other columns: another query in the job may read more of them.
        let uid = self.uid(&content, &[input]);
        let spec = OperatorSpec::ChangelogNormalize(spec);
        self.global(
            "ChangelogNormalize",
            (uid, lineage),
            spec,
            input,
            by_key,
            node,
        )
    }
}
