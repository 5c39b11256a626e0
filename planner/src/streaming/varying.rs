//! Values that are another each time they are computed.
//!
//! A row that is taken back by its content must be the row that came, so it must not have such a value.

use super::build::Builder;
use super::expression;
use super::{NodeId, NodeKind};

impl Builder<'_> {
    /// Whether a row that changes has a value that is computed anew when it is taken back.
    pub(super) fn varies_below(&self, id: NodeId) -> bool {
        let Some(node) = self.plan.node(id).filter(|n| n.properties.updating) else {
            return false;
        };
        let varies = match &node.kind {
            NodeKind::Calc(calc) => {
                let mut parts = calc.projection.iter().chain(&calc.filter);
                parts.any(expression::varies)
            }
            NodeKind::AssignWindow(window) => window.time.is_none(),
            NodeKind::Union | NodeKind::Unnest(_) => false,
            // What these give back is what they keep.
            _ => return false,
        };
        varies || node.inputs.iter().any(|input| self.varies_below(*input))
    }
}
