//! The condition of a join: keys, and what is left.

use arrow::datatypes::{Field, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, NullEquality};
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;
use datafusion::logical_expr::utils::{
    can_hash, conjunction, find_valid_equijoin_key_pair, split_conjunction,
};
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, Join, JoinType, Operator, binary_expr, lit,
};

use super::Inputs;
use crate::streaming::build::Builder;
use crate::streaming::expression::{self, ExprRef};
use crate::streaming::state_ttl::Ttl;
use levada_language::error::PlanError;

/// What makes a row of one side the partner of a row of the other.
pub(super) struct Condition {
    /// What is equal: over the columns of the left input, and over those of the right one.
    pub(super) keys: Vec<(ExprRef, ExprRef)>,
    /// Whether keys that are NULL are equal.
    pub(super) null_equals_null: bool,
    /// What must hold besides, over the columns of both inputs.
    pub(super) rest: Option<ExprRef>,
    /// Of an anti join: rows also go for which one of these two is NULL, as those of NOT IN do. The first
    /// is over the left input, the second over the right one.
    pub(super) not_in: Option<(ExprRef, ExprRef)>,
    /// The hints about how long the rows of each input are kept.
    pub(super) ttl: [Option<Ttl>; 2],
}

/// Its parts as logical expressions.
#[derive(Default)]
struct Parts {
    equal: Vec<(Expr, Expr)>,
    /// IS NOT DISTINCT FROM.
    same: Vec<(Expr, Expr)>,
    rest: Vec<Expr>,
    not_in: Option<(Expr, Expr)>,
}

impl Condition {
    /// The condition of a logical join. `swapped` says that its left input is the right one here.
    pub(super) fn of(
        builder: &Builder<'_>,
        join: &Join,
        inputs: &Inputs<'_>,
        swapped: bool,
    ) -> Result<Self, PlanError> {
        let mut parts = Parts::default();
        for (left, right) in &join.on {
            let pair = match swapped {
                false => (left.clone(), right.clone()),
                true => (right.clone(), left.clone()),
            };
            match join.null_equality {
                NullEquality::NullEqualsNothing => parts.equal.push(pair),
                NullEquality::NullEqualsNull => parts.same.push(pair),
            }
        }
        let anti = matches!(join.join_type, JoinType::LeftAnti | JoinType::RightAnti);
        for part in join.filter.iter().flat_map(split_conjunction) {
            parts.add(part, inputs, anti)?;
        }
        parts.into_condition(builder, inputs)
    }

    /// Whether a part of it may come out another way each time.
    pub(super) fn varies(&self) -> bool {
        let keys = self.keys.iter().flat_map(|(left, right)| [left, right]);
        keys.chain(&self.rest).any(expression::varies)
    }
}

impl Parts {
    fn add(&mut self, part: &Expr, inputs: &Inputs<'_>, anti: bool) -> Result<(), PlanError> {
        match part {
            Expr::BinaryExpr(binary) if binary.op == Operator::Eq => {
                if let Some(pair) = sides(binary, inputs)? {
                    self.equal.push(pair);
                    return Ok(());
                }
            }
            Expr::BinaryExpr(binary) if binary.op == Operator::IsNotDistinctFrom => {
                if let Some(pair) = sides(binary, inputs)? {
                    self.same.push(pair);
                    return Ok(());
                }
            }
            Expr::IsNotFalse(inner) if anti && self.not_in.is_none() => {
                if let Expr::BinaryExpr(binary) = inner.as_ref()
                    && binary.op == Operator::Eq
                    && let Some(pair) = sides(binary, inputs)?
                {
                    self.not_in = Some(pair);
                    return Ok(());
                }
            }
            always if *always == lit(true) => return Ok(()),
            _ => {}
        }
        self.rest.push(part.clone());
        Ok(())
    }

    fn into_condition(
        mut self,
        builder: &Builder<'_>,
        inputs: &Inputs<'_>,
    ) -> Result<Condition, PlanError> {
        // NULL keys are either all equal or all not.
        let null_equals_null = self.equal.is_empty() && !self.same.is_empty();
        let pairs = match null_equals_null {
            true => self.same,
            false => {
                let same = self.same.into_iter();
                let same = same.map(|(l, r)| binary_expr(l, Operator::IsNotDistinctFrom, r));
                self.rest.extend(same);
                self.equal
            }
        };
        let mut keys: Vec<(ExprRef, ExprRef)> = Vec::new();
        for pair in pairs {
            let key = physical(builder, pair, inputs)?;
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        let not_in = self.not_in.map(|pair| physical(builder, pair, inputs));
        let rest = match conjunction(self.rest) {
            Some(rest) => Some(over_both(builder, rest, inputs)?),
            None => None,
        };
        Ok(Condition {
            keys,
            null_equals_null,
            rest,
            not_in: not_in.transpose()?,
            ttl: [inputs.left, inputs.right].map(|input| builder.state_ttls.of_input(input)),
        })
    }
}

/// The operands, left before right, if each is about one input and rows can travel by it.
fn sides(binary: &BinaryExpr, inputs: &Inputs<'_>) -> Result<Option<(Expr, Expr)>, PlanError> {
    let (left, right) = (inputs.left.schema(), inputs.right.schema());
    let pair = find_valid_equijoin_key_pair(&binary.left, &binary.right, left, right)?;
    Ok(match pair {
        Some((l, r)) if can_hash(&l.get_type(left)?) && can_hash(&r.get_type(right)?) => {
            Some((l, r))
        }
        _ => None,
    })
}

/// Both over their inputs, and of one type.
pub(super) fn physical(
    builder: &Builder<'_>,
    (left, right): (Expr, Expr),
    inputs: &Inputs<'_>,
) -> Result<(ExprRef, ExprRef), PlanError> {
    let (left_schema, right_schema) = (inputs.left.schema(), inputs.right.schema());
    let types = (left.get_type(left_schema)?, right.get_type(right_schema)?);
    let (left, right) = match types.0 == types.1 {
        true => (left, right),
        false => {
            let Some(common) = comparison_coercion(&types.0, &types.1) else {
                let message = format!("{} and {} cannot be compared", types.0, types.1);
                return Err(PlanError::internal(message));
            };
            (
                left.cast_to(&common, left_schema)?,
                right.cast_to(&common, right_schema)?,
            )
        }
    };
    Ok((
        builder.expression(&left, inputs.left)?,
        builder.expression(&right, inputs.right)?,
    ))
}

/// An expression over the columns of the left input followed by those of the right one. DataFusion has no
/// schema for them where only one side is seen behind the join, and their names may be the same.
pub(super) fn over_both(
    builder: &Builder<'_>,
    expr: Expr,
    inputs: &Inputs<'_>,
) -> Result<ExprRef, PlanError> {
    let (left, right) = (inputs.left.schema(), inputs.right.schema());
    let width = left.fields().len();
    let name = |index: usize| format!("column {index}");
    let fields = left.fields().iter().chain(right.fields().iter());
    let fields = fields
        .enumerate()
        .map(|(index, field)| field.as_ref().clone().with_name(name(index)));
    let schema = DFSchema::try_from(Schema::new(fields.collect::<Vec<Field>>()))?;
    let numbered = expr.transform(|part| {
        let Expr::Column(column) = &part else {
            return Ok(Transformed::no(part));
        };
        let index = match left.maybe_index_of_column(column) {
            Some(index) => index,
            None => width + right.index_of_column(column)?,
        };
        let column = Column::new_unqualified(name(index));
        Ok(Transformed::yes(Expr::Column(column)))
    })?;
    builder.resolver.physical(&numbered.data, &schema)
}
