//! TO_CHANGELOG and FROM_CHANGELOG as a node of the logical plan.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DFSchema, DFSchemaRef, Result, TableReference};
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use sqlparser::ast::{Spanned, TableFactor};

use crate::parser::rewrite::{ChangelogCall, Direction, show_codes};
use levada_language::error::{Location, PlanError, PlanErrorKind};
use levada_language::types::SqlType;

/// Plans the functions in FROM.
#[derive(Debug)]
pub(super) struct ChangelogPlanner;

impl RelationPlanner for ChangelogPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let TableFactor::Unpivot {
            table,
            value,
            name,
            columns,
            alias,
            ..
        } = relation
        else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let call = ChangelogCall::of(&value, &name)
            .ok_or_else(|| PlanError::unsupported("UNPIVOT", Location::of(value.span())))?;
        let input = context.plan(*table)?;
        let mut named = Vec::new();
        for column in columns {
            let at = Location::of(column.expr.span()).or(call.location);
            let column = context
                .sql_to_expr(column.expr, input.schema())
                .map_err(|error| PlanError::from(error).or_at(at))?;
            check_column(&column, &named, &input, (&call, at))?;
            named.push(column);
        }
        let node = Arc::new(ChangelogTable::new(input, call, named)?);
        let plan = LogicalPlan::Extension(Extension { node });
        let planned = PlannedRelation::new(plan, alias);
        Ok(RelationPlanning::Planned(Box::new(planned)))
    }
}

/// What is named is a column, and another one each time; codes are texts.
fn check_column(
    column: &Expr,
    before: &[Expr],
    input: &LogicalPlan,
    (call, at): (&ChangelogCall, Option<Location>),
) -> Result<(), PlanError> {
    let function = call.direction.sql_name();
    let refused = |what: String| {
        let kind = PlanErrorKind::InvalidStatement;
        Err(PlanError::new(kind, what).at(at))
    };
    let Expr::Column(own) = column else {
        return refused(format!("{function} is about columns of its input"));
    };
    if before.contains(column) {
        return refused(format!("{function} names the column {} twice", own.name));
    }
    let is_op = call.direction == Direction::From && before.is_empty();
    let (_, field) = input.schema().qualified_field_from_column(own)?;
    match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(()),
        _ if !is_op => Ok(()),
        other => Err(PlanError::new(
            PlanErrorKind::TypeMismatch,
            format!(
                "the codes of {function} are texts, and {} is {}",
                own.name,
                SqlType::from_arrow(other)
            ),
        )
        .hint("name the column of codes: op => DESCRIPTOR(c); or CAST it in a view")
        .at(at)),
    }
}

/// Makes a row of every change of the input, or a change of every row.
///
/// The output has the columns of PARTITION BY, then the codes if it makes them, then the other columns of the input but
/// for the codes that it reads.
#[derive(Debug, Clone)]
pub struct ChangelogTable {
    /// The rows.
    pub input: LogicalPlan,
    pub(crate) call: ChangelogCall,
    /// The column of codes, if it reads them, and those of PARTITION BY.
    named: Vec<Expr>,
    /// The column of codes of the input, if they are read.
    pub op: Option<usize>,
    /// The columns of PARTITION BY, of the input.
    pub keys: Vec<usize>,
    /// For each column of the output that of the input, or none for the codes.
    pub columns: Vec<Option<usize>>,
    schema: DFSchemaRef,
}

impl ChangelogTable {
    fn new(input: LogicalPlan, call: ChangelogCall, named: Vec<Expr>) -> Result<Self> {
        let schema = input.schema();
        let mut places = places(&named, schema)?.into_iter();
        let op = match call.direction {
            Direction::To => None,
            Direction::From => places.next(),
        };
        let keys: Vec<usize> = places.collect();
        let mut columns: Vec<Option<usize>> = keys.iter().copied().map(Some).collect();
        if op.is_none() {
            columns.push(None);
        }
        let is_rest = |column: &usize| op != Some(*column) && !keys.contains(column);
        let rest = (0..schema.fields().len()).filter(is_rest);
        columns.extend(rest.map(Some));
        if columns.is_empty() {
            let what = "FROM_CHANGELOG of a table that has nothing but codes";
            return Err(PlanError::unsupported(what, call.location).into());
        }
        let mut fields: Vec<(Option<TableReference>, FieldRef)> = Vec::new();
        for column in &columns {
            let own = column.and_then(|column| schema.fields().get(column).cloned());
            let field =
                own.unwrap_or_else(|| Arc::new(Field::new(&call.op, DataType::Utf8, false)));
            if fields.iter().any(|(_, own)| own.name() == field.name()) {
                return Err(twice(field.name(), &call).into());
            }
            fields.push((None, field));
        }
        let schema = DFSchema::new_with_metadata(fields, schema.metadata().clone())?;
        Ok(ChangelogTable {
            op,
            keys,
            columns,
            schema: Arc::new(schema),
            input,
            call,
            named,
        })
    }

    fn content(&self) -> (&ChangelogCall, &[Expr]) {
        (&self.call, &self.named)
    }
}

fn places(columns: &[Expr], schema: &DFSchema) -> Result<Vec<usize>, PlanError> {
    let place = |expr: &Expr| match expr {
        Expr::Column(column) => Ok(schema.index_of_column(column)?),
        _ => Err(PlanError::internal(
            "a changelog is about what is no column",
        )),
    };
    columns.iter().map(place).collect()
}

/// Two columns would have one name.
fn twice(name: &str, call: &ChangelogCall) -> PlanError {
    let function = call.direction.sql_name();
    let message = format!("{function} would give two columns {name}");
    let error = PlanError::new(PlanErrorKind::DuplicateName, message).at(call.location);
    match call.direction {
        Direction::To if call.op == name => {
            error.hint("call the column of codes otherwise: op => DESCRIPTOR(change)")
        }
        _ => error.hint("give one of them another name in a view"),
    }
}

impl PartialEq for ChangelogTable {
    fn eq(&self, other: &Self) -> bool {
        self.content() == other.content() && self.input == other.input
    }
}

impl Eq for ChangelogTable {}

impl Hash for ChangelogTable {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.content().hash(state);
        self.input.hash(state);
    }
}

impl PartialOrd for ChangelogTable {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.named.partial_cmp(&other.named)? {
            Ordering::Equal => self.input.partial_cmp(&other.input),
            unequal => Some(unequal),
        }
    }
}

impl UserDefinedLogicalNodeCore for ChangelogTable {
    fn name(&self) -> &str {
        "ChangelogTable"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.named.clone()
    }

    /// Conditions are about changes as rows, or about what they add up to, and neither is what they are about below.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        let names = self.schema.fields().iter().map(|field| field.name());
        names.cloned().collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let columns: Vec<String> = self.named.iter().map(ToString::to_string).collect();
        write!(
            f,
            "ChangelogTable: {} op={} codes=[{}] columns=[{}]",
            self.call.direction.sql_name(),
            self.call.op,
            show_codes(&self.call.codes),
            columns.join(", ")
        )
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let input = inputs.into_iter().next();
        let input = input.ok_or_else(|| PlanError::internal("a changelog lost its input"))?;
        let named = exprs.into_iter().map(Expr::unalias).collect();
        ChangelogTable::new(input, self.call.clone(), named)
    }

    /// An update of a column that nobody reads is still a change, so changes become rows with all of it; of rows that
    /// become changes only what is asked for has to be there.
    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let width = self.input.schema().fields().len();
        if self.call.direction == Direction::To {
            return Some(vec![(0..width).collect()]);
        }
        let named = self.op.iter().chain(&self.keys);
        let mut needed: Vec<usize> = named.copied().collect();
        let asked = output_columns.iter();
        needed.extend(asked.filter_map(|column| self.columns.get(*column).copied().flatten()));
        if needed.len() == 1 {
            needed.extend(self.columns.first().copied().flatten());
        }
        needed.sort_unstable();
        needed.dedup();
        Some(vec![needed])
    }
}
