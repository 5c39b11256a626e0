//! MATCH_RECOGNIZE as a node of the logical plan.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef};
use datafusion::common::{DFSchema, DFSchemaRef, Result, TableReference};
use datafusion::logical_expr::{Expr, LogicalPlan, SortExpr, UserDefinedLogicalNodeCore};
use levada_engine::graph::{Pattern, Reference, Skip};
use levada_language::error::{Location, PlanError};

/// A variable of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PatternVariable {
    /// Its name.
    pub name: String,
    /// What a row must fulfil; `None` is any row.
    pub condition: Option<PatternCondition>,
}

/// A condition over values that are found by references.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PatternCondition {
    /// The values.
    pub values: Vec<Reference>,
    /// What they are for the expression.
    pub schema: DFSchemaRef,
    /// Whether the row is one of the variable.
    pub expr: Expr,
}

/// How matches are found and what is told of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PatternDefinition {
    /// The pattern over the variables.
    pub pattern: Pattern,
    /// The variables.
    pub variables: Vec<PatternVariable>,
    /// What is told, with the columns that it becomes. References name columns by their place in
    /// [`PatternTable::columns`].
    pub measures: Vec<(Reference, FieldRef)>,
    /// Whether all rows of a match go out.
    pub all_rows: bool,
    /// Where the search goes on.
    pub skip: Skip,
    /// WITHIN, in milliseconds.
    pub within_ms: Option<i64>,
}

/// Finds matches of a pattern among the rows of the input.
///
/// The output has the columns of the partition, or all columns of the input, and those of the measures.
#[derive(Debug, Clone)]
pub struct PatternTable {
    /// The rows.
    pub input: LogicalPlan,
    /// The columns that partitions are formed by.
    pub partition_by: Vec<Expr>,
    /// The columns that rows are put in order by, time first.
    pub order_by: Vec<SortExpr>,
    /// The columns that references name.
    pub columns: Vec<Expr>,
    /// How.
    pub definition: PatternDefinition,
    /// Where it stands in the SQL.
    pub location: Option<Location>,
    schema: DFSchemaRef,
}

impl PatternTable {
    pub(super) fn new(
        input: LogicalPlan,
        (partition_by, order_by): (Vec<Expr>, Vec<SortExpr>),
        columns: Vec<Expr>,
        definition: PatternDefinition,
        location: Option<Location>,
    ) -> Result<Self> {
        PatternTable {
            schema: Arc::new(DFSchema::empty()),
            input,
            partition_by,
            order_by,
            columns,
            definition,
            location,
        }
        .with_schema()
    }

    fn with_schema(mut self) -> Result<Self> {
        let input = self.input.schema();
        let mut fields: Vec<(Option<TableReference>, FieldRef)> = Vec::new();
        if self.definition.all_rows {
            let all = input.iter();
            fields.extend(all.map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field))));
        } else {
            for key in &self.partition_by {
                let Expr::Column(column) = key else {
                    return Err(PlanError::internal("a partition is no column").into());
                };
                let (qualifier, field) = input.qualified_field_from_column(column)?;
                fields.push((qualifier.cloned(), Arc::clone(field)));
            }
        }
        let own = self.definition.measures.iter();
        fields.extend(own.map(|(_, field)| (None, Arc::clone(field))));
        let metadata = input.metadata().clone();
        self.schema = Arc::new(DFSchema::new_with_metadata(fields, metadata)?);
        Ok(self)
    }

    /// The same with other conditions.
    pub(super) fn with_variables(&self, variables: Vec<PatternVariable>) -> Self {
        let mut same = self.clone();
        same.definition.variables = variables;
        same
    }

    /// What identifies the node, its input aside.
    fn content(&self) -> (&[Expr], &[SortExpr], &[Expr], &PatternDefinition) {
        (
            &self.partition_by,
            &self.order_by,
            &self.columns,
            &self.definition,
        )
    }
}

impl PartialEq for PatternTable {
    fn eq(&self, other: &Self) -> bool {
        self.content() == other.content() && self.input == other.input
    }
}

impl Eq for PatternTable {}

impl Hash for PatternTable {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.content().hash(state);
        self.input.hash(state);
    }
}

impl PartialOrd for PatternTable {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.columns.partial_cmp(&other.columns)? {
            Ordering::Equal => self.input.partial_cmp(&other.input),
            unequal => Some(unequal),
        }
    }
}

/// A field that a measure becomes.
pub(super) fn measure_field(name: String, data_type: arrow::datatypes::DataType) -> FieldRef {
    Arc::new(Field::new(name, data_type, true))
}

impl UserDefinedLogicalNodeCore for PatternTable {
    fn name(&self) -> &str {
        "PatternTable"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        let order = self.order_by.iter().map(|sort| &sort.expr);
        let all = self.partition_by.iter().chain(order).chain(&self.columns);
        all.cloned().collect()
    }

    /// Whole partitions may go before they are looked through, and nothing else.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        let is_key = |name: &str| {
            let mut keys = self.partition_by.iter();
            keys.any(|key| matches!(key, Expr::Column(column) if column.name == name))
        };
        let names = self.schema.fields().iter().map(|field| field.name());
        names.filter(|name| !is_key(name)).cloned().collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let list = |exprs: &[Expr]| {
            let shown: Vec<String> = exprs.iter().map(ToString::to_string).collect();
            shown.join(", ")
        };
        let order: Vec<String> = self.order_by.iter().map(ToString::to_string).collect();
        write!(
            f,
            "PatternTable: pattern=[{}] partition=[{}] order=[{}]",
            self.definition.shown(),
            list(&self.partition_by),
            order.join(", ")
        )?;
        for variable in &self.definition.variables {
            if let Some(condition) = &variable.condition {
                write!(f, " {}=[{}]", variable.name, condition.expr)?;
            }
        }
        Ok(())
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let malformed = || PlanError::internal("a pattern lost its input or its columns");
        let (keys, orders) = (self.partition_by.len(), self.order_by.len());
        if exprs.len() != keys + orders + self.columns.len() {
            return Err(malformed().into());
        }
        let mut exprs = exprs.into_iter().map(Expr::unalias);
        let mut same = self.clone();
        same.partition_by = exprs.by_ref().take(keys).collect();
        for (sort, expr) in same.order_by.iter_mut().zip(exprs.by_ref().take(orders)) {
            sort.expr = expr;
        }
        same.columns = exprs.collect();
        same.input = inputs.into_iter().next().ok_or_else(malformed)?;
        same.with_schema()
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let input = self.input.schema();
        let mut needed: Vec<usize> = Vec::new();
        if self.definition.all_rows {
            let width = input.fields().len();
            // Its output has all columns of the input, in their places.
            needed.extend(0..width);
            let _ = output_columns;
        }
        for expr in self.expressions() {
            for column in expr.column_refs() {
                needed.push(input.index_of_column(column).ok()?);
            }
        }
        needed.sort_unstable();
        needed.dedup();
        Some(vec![needed])
    }
}

impl PatternDefinition {
    /// The pattern as SQL has it.
    pub fn shown(&self) -> String {
        let names: Vec<&str> = self.variables.iter().map(|v| v.name.as_str()).collect();
        shown(&self.pattern, &names, false)
    }
}

/// A pattern as SQL has it; in parentheses if that is needed within another one.
pub(crate) fn shown(pattern: &Pattern, names: &[&str], within: bool) -> String {
    let parts = |parts: &[Pattern], between: &str, inner: bool| {
        let shown: Vec<String> = parts.iter().map(|part| shown(part, names, inner)).collect();
        match within {
            true => format!("({})", shown.join(between)),
            false => shown.join(between),
        }
    };
    match pattern {
        Pattern::Variable(variable) => names.get(*variable).unwrap_or(&"?").to_string(),
        Pattern::Sequence(all) => parts(all, " ", true),
        Pattern::Alternatives(all) => parts(all, " | ", false),
        Pattern::Repeated {
            pattern,
            least,
            most,
            greedy,
        } => {
            let quantifier = match (least, most) {
                (0, None) => "*".to_string(),
                (1, None) => "+".to_string(),
                (0, Some(1)) => "?".to_string(),
                (least, None) => format!("{{{least},}}"),
                (least, Some(most)) if least == most => format!("{{{least}}}"),
                (least, Some(most)) => format!("{{{least},{most}}}"),
            };
            let reluctant = if *greedy { "" } else { "?" };
            format!("{}{quantifier}{reluctant}", shown(pattern, names, true))
        }
    }
}
