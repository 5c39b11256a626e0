//! Joins with versions.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::find_valid_equijoin_key_pair;
use datafusion::physical_expr::expressions::{CastExpr, TryCastExpr};
use levada_engine::element::ChangelogMode;
use levada_engine::graph::AsOf;
use levada_language::functions::version::VersionKind;
use levada_language::types::SqlType;

use super::condition::{over_both, physical};
use super::{Inputs, both};
use crate::logical::{AsOfTime, TemporalJoin as Logical};
use crate::streaming::build::Builder;
use crate::streaming::expression::{self, ExprRef};
use crate::streaming::{Asking, NodeId, NodeKind, TemporalJoin};
use levada_language::error::{PlanError, PlanErrorKind};

impl Builder<'_> {
    pub(in crate::streaming) fn temporal_join(
        &mut self,
        join: &Logical,
    ) -> Result<NodeId, PlanError> {
        let parts = &join.parts;
        let inputs = Inputs {
            left: &join.left,
            right: &join.right,
        };
        let (left, right) = (self.query(&join.left)?, self.query(&join.right)?);
        self.check_inputs(join, left, right)?;
        let mut keys = Vec::new();
        for equal in &parts.keys {
            keys.push(self.key_of_versions(equal, join, &inputs)?);
        }
        let as_of = match &parts.time {
            Some(time) => Some(self.as_of(time, join, (left, right))?),
            None => None,
        };
        let exists = parts.exists.as_ref();
        let exists = exists.map(|expr| self.expression(expr, &join.right));
        let rest = parts.condition.clone();
        let rest = rest
            .map(|expr| over_both(self, expr, &inputs))
            .transpose()?;
        let width = |plan: &datafusion::logical_expr::LogicalPlan| plan.schema().fields().len();
        let (left_keys, right_keys) = keys.into_iter().unzip();
        let left = self.side(left, width(&join.left), left_keys)?;
        let right = self.side(right, width(&join.right), right_keys)?;
        let (left_schema, right_schema) = (self.schema(left.node)?, self.schema(right.node)?);
        let columns = both((&left, &left_schema), (&right, &right_schema));
        let rest = rest.map(|e| expression::substitute(&e, &columns));
        let exists = exists
            .transpose()?
            .map(|expr| column_of(&expr))
            .transpose()?;
        let asking = match parts.lookup {
            Some(_) => self.lookup_hints.heed(&join.right),
            None => Asking::default(),
        };
        let node = TemporalJoin {
            outer: parts.outer,
            left_keys: left.keys.clone(),
            right_keys: right.keys.clone(),
            as_of,
            exists,
            condition: rest.transpose()?,
            lookup: parts.lookup,
            asking,
        };
        if node.lookup.is_some() && !self.is_table(right.node) {
            let what = format!(
                "asking {} by key for more than columns of a table",
                parts.table
            );
            return Err(PlanError::unsupported(what, parts.location)
                .hint("name the table itself, and put conditions into ON or WHERE"));
        }
        let rows = (self.properties(left.node)?, self.properties(right.node)?);
        let properties = node.properties(rows.0, rows.1);
        let kind = NodeKind::TemporalJoin(node);
        let id = self.plan.add(kind, vec![left.node, right.node], properties);
        let of_right = (0..right.width).map(|column| left.total + column);
        let kept: Vec<usize> = (0..left.width).chain(of_right).collect();
        match kept.len() == left.total + right.total {
            true => Ok(id),
            false => self.pick(id, &kept),
        }
    }

    /// Rows of the left input are never taken back, and so are versions that are rows.
    fn check_inputs(&self, join: &Logical, left: NodeId, right: NodeId) -> Result<(), PlanError> {
        let parts = &join.parts;
        let clause = parts.kind.sql_name();
        if self.properties(left)?.updating {
            let what = format!("{clause} for a left table whose rows change");
            return Err(PlanError::unsupported(what, parts.location).hint(
                "the version that a row has met may be gone when it changes; join first, and aggregate or \
                 deduplicate what comes out",
            ));
        }
        if parts.last_rows && self.properties(right)?.updating {
            let what = format!("{clause} of {}, whose rows change", parts.table);
            return Err(PlanError::unsupported(what, parts.location)
                .hint("each row has to stay as it came, or the table needs a PRIMARY KEY"));
        }
        Ok(())
    }

    /// Whether a node is columns of a table whose rows do not change.
    fn is_table(&self, id: NodeId) -> bool {
        let Some(node) = self.plan.node(id) else {
            return false;
        };
        match (&node.kind, node.inputs.as_slice()) {
            (NodeKind::Scan(scan), _) => scan.mode == ChangelogMode::Append,
            (NodeKind::Calc(_), [below]) => self.is_table(*below),
            _ => false,
        }
    }

    /// Both sides of an equality with the key, as expressions over the inputs.
    fn key_of_versions(
        &self,
        equal: &Expr,
        join: &Logical,
        inputs: &Inputs<'_>,
    ) -> Result<(ExprRef, ExprRef), PlanError> {
        let Expr::BinaryExpr(binary) = equal else {
            return Err(PlanError::internal("a key of versions is no equality"));
        };
        let (left, right) = (join.left.schema(), join.right.schema());
        let constant = |expr: &Expr| expr.column_refs().is_empty();
        let pair = match (constant(&binary.left), constant(&binary.right)) {
            (true, _) => Some((binary.left.as_ref().clone(), binary.right.as_ref().clone())),
            (_, true) => Some((binary.right.as_ref().clone(), binary.left.as_ref().clone())),
            _ => find_valid_equijoin_key_pair(&binary.left, &binary.right, left, right)?,
        };
        let Some(pair) = pair else {
            return Err(PlanError::internal("a key of versions compares one input"));
        };
        let name = pair.1.clone().unalias().to_string();
        let mut pair = physical(self, pair, inputs)?;
        if join.parts.lookup.is_some() {
            pair = in_type_of_table(pair, right.as_arrow());
        }
        // Two keys must not become one.
        let plain = match (join.parts.lookup, join.parts.kind) {
            (Some(_), _) => expression::as_column(&pair.1).is_some(),
            (None, VersionKind::Match) => true,
            (None, _) => tells_apart(&pair.1, right.as_arrow()),
        };
        match plain {
            true => Ok(pair),
            false => Err(PlanError::new(
                PlanErrorKind::TypeMismatch,
                format!(
                    "the key of {} is compared with another type: {name}",
                    join.parts.table
                ),
            )
            .hint("CAST the column of the left table to the type of the key")
            .at(join.parts.location)),
        }
    }

    fn as_of(
        &self,
        time: &AsOfTime,
        join: &Logical,
        (left, right): (NodeId, NodeId),
    ) -> Result<AsOf, PlanError> {
        let parts = &join.parts;
        let column = |expr: &Expr, input, node| -> Result<Option<usize>, PlanError> {
            let expr = self.expression(expr, input)?;
            let column = expression::as_column(&expr);
            let rows = self.properties(node)?;
            Ok(column.filter(|column| rows.attribute(*column).is_event_time()))
        };
        let Some(of_left) = column(&time.left, &join.left, left)? else {
            return Err(self.no_time(&time.left, "left", join, left));
        };
        let Some(of_right) = column(&time.right, &join.right, right)? else {
            return Err(self.no_time(&time.right, "right", join, right));
        };
        let types = (self.type_of(left, of_left)?, self.type_of(right, of_right)?);
        let zoned = |data_type: &DataType| matches!(data_type, DataType::Timestamp(_, Some(_)));
        if zoned(&types.0) != zoned(&types.1) {
            let shown = (SqlType::from_arrow(&types.0), SqlType::from_arrow(&types.1));
            let message = format!(
                "{} compares a time of type {} with one of type {}",
                parts.kind.sql_name(),
                shown.0,
                shown.1
            );
            return Err(PlanError::new(PlanErrorKind::TypeMismatch, message)
                .hint("declare both event times as TIMESTAMP, or both as TIMESTAMP_LTZ")
                .at(parts.location));
        }
        Ok(AsOf {
            left: of_left,
            right: of_right,
            earlier: time.earlier,
        })
    }

    fn type_of(&self, node: NodeId, column: usize) -> Result<DataType, PlanError> {
        let schema = self.schema(node)?;
        expression::data_type(&expression::column(&schema, column)?, &schema)
    }

    fn no_time(&self, time: &Expr, side: &str, join: &Logical, node: NodeId) -> PlanError {
        let parts = &join.parts;
        let name = match time {
            Expr::Column(column) => match side {
                "left" => column.name.clone(),
                _ => format!("the time of {}", parts.table),
            },
            other => other.to_string(),
        };
        let clause = parts.kind.sql_name();
        let error = PlanError::new(
            PlanErrorKind::InvalidStatement,
            format!("{clause} needs a time attribute of the {side} table, and {name} is none"),
        )
        .hint(
            "declare WATERMARK FOR the column in CREATE TABLE and pass it through unchanged; for the left table, \
             a column pt AS PROCTIME() is possible too",
        )
        .at(parts.location);
        match self.timeless_below(node) {
            Some(detail) => error.detail(detail),
            None => error,
        }
    }
}

/// A key compared as a wider whole number is asked for in its own type; what does not fit into that is the key of
/// no row.
fn in_type_of_table((left, right): (ExprRef, ExprRef), schema: &Schema) -> (ExprRef, ExprRef) {
    let column = right.downcast_ref::<CastExpr>().map(CastExpr::expr);
    let Some(column) = column.filter(|_| tells_apart(&right, schema)) else {
        return (left, right);
    };
    match column.data_type(schema) {
        Ok(data_type) => {
            let narrowed = TryCastExpr::new(left, data_type);
            (Arc::new(narrowed), Arc::clone(column))
        }
        Err(_) => (left, right),
    }
}

/// Whether it is a column, or one as a wider whole number.
fn tells_apart(key: &ExprRef, schema: &Schema) -> bool {
    let Some(cast) = key.downcast_ref::<CastExpr>() else {
        return expression::as_column(key).is_some();
    };
    let from = cast.expr().data_type(schema);
    let widens = from.is_ok_and(|from| {
        let (from, to) = (from, cast.cast_type());
        let whole = from.is_signed_integer() && to.is_signed_integer();
        whole && from.primitive_width() <= to.primitive_width()
    });
    widens && expression::as_column(cast.expr()).is_some()
}

fn column_of(expr: &ExprRef) -> Result<usize, PlanError> {
    let column = expression::as_column(expr);
    column.ok_or_else(|| PlanError::internal("whether a version exists is no column"))
}
