//! Pattern: matches of a pattern among the rows of each partition.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::logical_expr::Expr;
use levada_engine::graph::{ALL_VARIABLES, OrderColumn, Pattern, Reference, Skip};

use super::build::Builder;
use super::expression::ExprRef;
use super::{Attribute, NodeId, NodeKind, Properties};
use crate::logical::PatternTable;
use levada_language::error::{PlanError, PlanErrorKind};

/// Finds matches of a pattern.
///
/// The output has the columns of the partition, or all columns of the input, and behind them one for each measure.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PatternMatch {
    /// The columns that partitions are formed by; none is one partition of everything.
    pub partition_by: Vec<usize>,
    /// What rows are put in order by, event time first; none is the order in which they come.
    pub order_by: Vec<OrderColumn>,
    /// The pattern.
    pub pattern: Pattern,
    /// What its variables mean.
    pub variables: Vec<MatchVariable>,
    /// What is told of a match.
    pub measures: Vec<Reference>,
    /// Whether all rows of a match go out.
    pub all_rows: bool,
    /// Where the search goes on.
    pub skip: Skip,
    /// WITHIN, in milliseconds.
    pub within_ms: Option<i64>,
}

/// A variable of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MatchVariable {
    /// Its name.
    pub name: String,
    /// What a row must fulfil; `None` is any row.
    pub condition: Option<MatchCondition>,
}

/// A condition over values.
#[derive(Debug, Clone, Eq)]
pub struct MatchCondition {
    /// The values.
    pub values: Vec<Reference>,
    /// What they are for the expression.
    pub schema: SchemaRef,
    /// Over the values.
    pub expr: ExprRef,
}

impl PartialEq for MatchCondition {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values && self.schema == other.schema && self.expr.eq(&other.expr)
    }
}

impl Hash for MatchCondition {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.values.hash(state);
        self.schema.hash(state);
        self.expr.hash(state);
    }
}

impl PatternMatch {
    /// A pattern of the logical plan over the columns of `input`, in the order that `order_by` says.
    pub(crate) fn of(
        table: &PatternTable,
        order_by: Vec<OrderColumn>,
        physical: &dyn Fn(&Expr, &datafusion::common::DFSchema) -> Result<ExprRef, PlanError>,
    ) -> Result<Self, PlanError> {
        let columns = table.columns.iter().map(|column| place(table, column));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let moved = |reference: &Reference| moved(*reference, &columns);
        let definition = &table.definition;
        let mut variables = Vec::new();
        for variable in &definition.variables {
            let condition = match &variable.condition {
                None => None,
                Some(condition) => Some(MatchCondition {
                    values: condition
                        .values
                        .iter()
                        .map(moved)
                        .collect::<Result<_, _>>()?,
                    schema: condition.schema.inner().clone(),
                    expr: physical(&condition.expr, &condition.schema)?,
                }),
            };
            variables.push(MatchVariable {
                name: variable.name.clone(),
                condition,
            });
        }
        let measures = definition
            .measures
            .iter()
            .map(|(reference, _)| moved(reference));
        Ok(PatternMatch {
            partition_by: table
                .partition_by
                .iter()
                .map(|key| place(table, key))
                .collect::<Result<_, _>>()?,
            order_by,
            pattern: definition.pattern.clone(),
            variables,
            measures: measures.collect::<Result<_, _>>()?,
            all_rows: definition.all_rows,
            skip: definition.skip,
            within_ms: definition.within_ms,
        })
    }

    /// The columns of the input that the output begins with.
    pub fn given(&self, width: usize) -> Vec<usize> {
        match self.all_rows {
            true => (0..width).collect(),
            false => self.partition_by.clone(),
        }
    }

    /// Whether it must know rows behind those of a match (NEXT).
    pub fn looks_ahead(&self) -> bool {
        let conditions = self.variables.iter().filter_map(|v| v.condition.as_ref());
        let values = conditions.flat_map(|condition| &condition.values);
        let mut all = values.chain(&self.measures);
        all.any(|value| value.looks_ahead() > 0)
    }

    /// Whether the output has the times of rows. Where a row waits for the next one of its partition, which may never come, nobody
    /// can wait for its time.
    pub fn gives_time(&self) -> bool {
        if self.looks_ahead() {
            return false;
        }
        let time = self.order_by.first().map(|order| order.column);
        self.all_rows
            || self
                .measures
                .iter()
                .any(|measure| time == time_of_last(*measure))
    }

    fn properties(&self, input: &Properties, schema: SchemaRef) -> Properties {
        let mut properties = Properties::appending(schema, input.bounded);
        let width = input.schema.fields().len();
        let given = self.given(width);
        let time = self.order_by.first().map(|order| order.column);
        let time = time.filter(|_| !self.looks_ahead());
        let own = given.iter().map(|column| match time {
            // Other times may be behind the watermark when the row comes.
            Some(time) if *column == time => Attribute::EventTime,
            _ => match input.attribute(*column) {
                Attribute::ProcessingTime => Attribute::ProcessingTime,
                _ => Attribute::None,
            },
        });
        let measures = self
            .measures
            .iter()
            .map(|measure| match time_of_last(*measure) {
                Some(column) if time == Some(column) => Attribute::EventTime,
                Some(column) if input.attribute(column) == Attribute::ProcessingTime => {
                    Attribute::ProcessingTime
                }
                _ => Attribute::None,
            });
        properties.attributes = own.chain(measures).collect();
        properties
    }
}

/// The column of which a measure gives the value of the last row.
fn time_of_last(measure: Reference) -> Option<usize> {
    match measure {
        Reference::Row {
            column,
            variables: ALL_VARIABLES,
            first: false,
            offset: 0,
            shift: 0,
            ..
        } => Some(column),
        _ => None,
    }
}

/// The place of a column in the input.
pub(crate) fn place(table: &PatternTable, expr: &Expr) -> Result<usize, PlanError> {
    match expr {
        Expr::Column(column) => Ok(table.input.schema().index_of_column(column)?),
        _ => Err(PlanError::internal("a pattern is about what is no column")),
    }
}

/// A reference to columns of the input.
fn moved(reference: Reference, columns: &[usize]) -> Result<Reference, PlanError> {
    let place = |column: usize| {
        let found = columns.get(column).copied();
        found.ok_or_else(|| PlanError::internal("a pattern lost a column"))
    };
    Ok(match reference {
        Reference::Row {
            column,
            variables,
            first,
            offset,
            shift,
            running,
        } => Reference::Row {
            column: place(column)?,
            variables,
            first,
            offset,
            shift,
            running,
        },
        Reference::Aggregate {
            function,
            column,
            distinct,
            variables,
            running,
        } => Reference::Aggregate {
            function,
            column: column.map(place).transpose()?,
            distinct,
            variables,
            running,
        },
        other => other,
    })
}

/// What rows are put in order by.
pub(crate) fn order_columns(table: &PatternTable) -> Result<Vec<OrderColumn>, PlanError> {
    let column = |sort: &datafusion::logical_expr::SortExpr| {
        Ok(OrderColumn {
            column: place(table, &sort.expr)?,
            descending: !sort.asc,
            nulls_first: sort.nulls_first,
        })
    };
    table.order_by.iter().map(column).collect()
}

impl Builder<'_> {
    pub(super) fn pattern(&mut self, table: &PatternTable) -> Result<NodeId, PlanError> {
        // A pattern does not limit ranks, which may be taken back as long as they may be limited.
        let input = self.settled_query(&table.input)?;
        let rows = self.properties(input)?.clone();
        if rows.updating {
            return Err(PlanError::unsupported(
                "MATCH_RECOGNIZE over rows that change on streams",
                table.location,
            )
            .hint("let its input be rows that only ever come: no aggregation without a window, no outer join, no Top-N"));
        }
        let mut order_by = order_columns(table)?;
        let first = order_by.first().copied();
        let first = first.ok_or_else(|| PlanError::internal("a pattern without an order"))?;
        match rows.attribute(first.column) {
            Attribute::ProcessingTime if order_by.len() > 1 => {
                return Err(PlanError::unsupported(
                    "ORDER BY processing time and other columns in MATCH_RECOGNIZE",
                    table.location,
                )
                .hint("in processing time rows match in the order in which they come"));
            }
            Attribute::ProcessingTime => order_by.clear(),
            attribute if attribute.is_event_time() => {}
            _ => return Err(self.no_order_by_time(input, first.column, table)),
        }
        let physical = |expr: &Expr, schema: &datafusion::common::DFSchema| {
            self.resolver.physical(expr, schema)
        };
        let node = PatternMatch::of(table, order_by, &physical)?;
        let mut fields: Vec<Field> = Vec::new();
        for column in node.given(rows.schema.fields().len()) {
            fields.push(rows.schema.field(column).clone());
        }
        let measures = table.definition.measures.iter();
        fields.extend(measures.map(|(_, field)| field.as_ref().clone()));
        let properties = node.properties(&rows, Arc::new(Schema::new(fields)));
        let own = self.plan.next_id();
        self.plan.set_location(own, table.location);
        Ok(self
            .plan
            .add(NodeKind::Pattern(node), vec![input], properties))
    }

    fn no_order_by_time(&self, input: NodeId, column: usize, table: &PatternTable) -> PlanError {
        let schema = self.properties(input).map(|rows| Arc::clone(&rows.schema));
        let name = schema.map(|schema| schema.field(column).name().clone());
        let name = name.unwrap_or_default();
        let error = PlanError::new(
            PlanErrorKind::InvalidStatement,
            format!("ORDER BY of MATCH_RECOGNIZE begins with {name}, which is no time attribute"),
        )
        .at(table.location);
        match self.timeless_below(input) {
            Some(why) => error.detail(why),
            None => error,
        }
        .hint(
            "begin with the column that WATERMARK FOR is about, or with one that is AS PROCTIME()",
        )
    }
}
