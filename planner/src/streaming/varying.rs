//! Values that are another each time they are computed.
//!
//! A row that is taken back by its content must be the row that came, so it must not have such a value.

use super::build::Builder;
use super::expression;
use super::{Attribute, Node, NodeId, NodeKind};

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

    /// Whether a row of those that only come has a value that another one of the same content would not have.
    pub(super) fn is_computed_anew(&self, id: NodeId) -> bool {
        let Some(node) = self.plan.node(id) else {
            return false;
        };
        let clock = |attribute: &Attribute| *attribute == Attribute::ProcessingTime;
        if node.properties.attributes.iter().any(clock) {
            return true;
        }
        match &node.kind {
            NodeKind::Calc(calc) => {
                let mut parts = calc.projection.iter().chain(&calc.filter);
                parts.any(expression::varies) || self.any_is_computed_anew(node)
            }
            NodeKind::Union | NodeKind::Unnest(_) => self.any_is_computed_anew(node),
            _ => false,
        }
    }

    fn any_is_computed_anew(&self, node: &Node) -> bool {
        let mut inputs = node.inputs.iter();
        inputs.any(|input| self.is_computed_anew(*input))
    }
}
