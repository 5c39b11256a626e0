//! Windows of so many rows become operators, which stay where rows were numbered.

use levada_engine::graph::{CountWindowSpec, OperatorSpec, Partitioning, WireSchema};

use super::lineage::Lineage;
use super::operators::{Lowering, Operator};
use super::rank::rows_of;
use crate::streaming::{CountWindow, Node, NodeId, NodeKind, as_column};
use levada_language::error::PlanError;
use levada_language::functions::window::{WINDOW_END, WINDOW_START, WINDOW_TIME};

impl Lowering<'_> {
    pub(super) fn count_window(
        &mut self,
        window: &CountWindow,
        node: &Node,
    ) -> Result<usize, PlanError> {
        let input = self.input_of(node)?;
        let by_key = self.by_key(input, &window.partition_by)?;
        let source = self.get(input)?;
        let below = &source.lineage;
        let content = format!(
            "CountWindow size={} slide={} by {} time={} rows={}",
            window.size,
            window.slide,
            below.names(&window.partition_by).join("\u{1f}"),
            window
                .time
                .map(|time| below.column(time))
                .unwrap_or_default(),
            rows_of(below, &source.schema),
        );
        let time = window.time.map(|_| WINDOW_TIME);
        let own = [WINDOW_START, WINDOW_END].into_iter().chain(time);
        let columns = below.columns().into_iter().chain(own.map(String::from));
        let lineage = Lineage::base(&content, &[below], columns);
        let spec = CountWindowSpec {
            rows: WireSchema(source.schema.clone()),
            partition_by: window.partition_by.clone(),
            number: window.number,
            size: window.size,
            slide: window.slide,
            time: window.time,
        };
        let stays = node
            .inputs
            .first()
            .is_some_and(|below| self.is_by(*below, &window.partition_by));
        let partitioning = match stays && source.parallelism == by_key.parallelism() {
            true => Partitioning::Forward,
            false => by_key.partitioning(),
        };
        let inputs = vec![self.main(input, partitioning)?];
        let uid = self.uid(&content, &[input]);
        Ok(self.push(Operator {
            uid,
            lineage,
            name: "CountWindow".to_string(),
            spec: OperatorSpec::CountWindow(spec),
            inputs,
            schema: node.properties.schema.clone(),
            parallelism: by_key.parallelism(),
        }))
    }

    /// Whether the rows of a node are where they were numbered by these columns, in this order.
    fn is_by(&self, id: NodeId, columns: &[usize]) -> bool {
        let mut columns = columns.to_vec();
        let mut id = id;
        while let Some(node) = self.plan.node(id) {
            match (&node.kind, node.inputs.as_slice()) {
                (NodeKind::Over(over), _) => return over.partition_by == columns,
                (NodeKind::Calc(calc), [below]) => {
                    let place = |column: &usize| calc.projection.get(*column).and_then(as_column);
                    let Some(places) = columns.iter().map(place).collect() else {
                        return false;
                    };
                    (columns, id) = (places, *below);
                }
                _ => return false,
            }
        }
        false
    }
}
