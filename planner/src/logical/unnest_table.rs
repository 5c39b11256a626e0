//! UNNEST in FROM as a node of the logical plan.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::{DFSchema, DFSchemaRef, Result, TableReference};
use datafusion::logical_expr::{
    EmptyRelation, Expr, ExprSchemable, Extension, LogicalPlan, UserDefinedLogicalNodeCore,
};

use crate::parser::names::element_columns;
use levada_language::error::{Location, PlanError};

/// Puts to each row of the input the elements of a collection, once for each.
#[derive(Debug, Clone)]
pub struct UnnestTable {
    /// The rows. Of an UNNEST that no table stands left of, one row without columns.
    pub input: LogicalPlan,
    /// The array or map, over the input.
    pub collection: Expr,
    /// Whether a row without elements comes once, with NULL for them.
    pub outer: bool,
    /// Whether the number of the element stands behind it, from 1 on.
    pub ordinality: bool,
    /// Where UNNEST stands in the SQL.
    pub location: Option<Location>,
    /// What its own columns belong to.
    qualifier: TableReference,
    /// Their names.
    names: Vec<String>,
    schema: DFSchemaRef,
}

impl UnnestTable {
    /// The elements of a collection over each row of `input`. The names are those of the columns that
    /// [`element_columns`] and ordinality make.
    pub(super) fn new(
        input: LogicalPlan,
        collection: Expr,
        ordinality: bool,
        (qualifier, names): (TableReference, Vec<String>),
        location: Option<Location>,
    ) -> Result<Self> {
        UnnestTable {
            schema: Arc::new(DFSchema::empty()),
            input,
            collection,
            outer: false,
            ordinality,
            location,
            qualifier,
            names,
        }
        .with_schema()
    }

    /// The elements of a collection by themselves.
    pub(super) fn alone(
        collection: Expr,
        ordinality: bool,
        columns: (TableReference, Vec<String>),
        location: Option<Location>,
    ) -> Result<Self> {
        let row = LogicalPlan::EmptyRelation(EmptyRelation {
            produce_one_row: true,
            schema: Arc::new(DFSchema::empty()),
        });
        Self::new(row, collection, ordinality, columns, location)
    }

    /// The node as a plan.
    pub(super) fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension {
            node: Arc::new(self),
        })
    }

    /// The same for each row of `input`.
    pub(super) fn of_rows(
        &self,
        input: LogicalPlan,
        collection: Expr,
        outer: bool,
    ) -> Result<Self> {
        UnnestTable {
            input,
            collection,
            outer,
            ..self.clone()
        }
        .with_schema()
    }

    fn with_schema(mut self) -> Result<Self> {
        let input = self.input.schema();
        let mut fields: Vec<(Option<TableReference>, Arc<Field>)> = input
            .iter()
            .map(|(qualifier, field)| (qualifier.cloned(), Arc::clone(field)))
            .collect();
        let own = self.own_fields()?.into_iter();
        fields.extend(own.map(|field| (Some(self.qualifier.clone()), Arc::new(field))));
        let metadata = input.metadata().clone();
        self.schema = Arc::new(DFSchema::new_with_metadata(fields, metadata)?);
        Ok(self)
    }

    /// Its own columns.
    fn own_fields(&self) -> Result<Vec<Field>> {
        let collection = self.collection.get_type(self.input.schema())?;
        let columns = element_columns(&collection).ok_or_else(|| {
            PlanError::internal(format!("UNNEST has an argument of type {collection}"))
        })?;
        let types = columns
            .iter()
            .map(|c| (c.field.data_type().clone(), c.field.is_nullable()));
        let number = self.ordinality.then_some((DataType::Int32, false));
        let field = |(name, (data_type, nullable)): (&String, (DataType, bool))| {
            Field::new(name, data_type, nullable || self.outer)
        };
        Ok(self
            .names
            .iter()
            .zip(types.chain(number))
            .map(field)
            .collect())
    }

    /// What its own columns belong to, and their names.
    pub fn own_names(&self) -> (&TableReference, &[String]) {
        (&self.qualifier, &self.names)
    }

    /// What identifies the node, its input aside.
    fn content(&self) -> (&Expr, bool, bool, &TableReference, &[String]) {
        let (qualifier, names) = self.own_names();
        (
            &self.collection,
            self.outer,
            self.ordinality,
            qualifier,
            names,
        )
    }
}

impl PartialEq for UnnestTable {
    fn eq(&self, other: &Self) -> bool {
        self.content() == other.content() && self.input == other.input
    }
}

impl Eq for UnnestTable {}

impl Hash for UnnestTable {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.content().hash(state);
        self.input.hash(state);
    }
}

impl PartialOrd for UnnestTable {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.collection.partial_cmp(&other.collection)? {
            Ordering::Equal => self.input.partial_cmp(&other.input),
            unequal => Some(unequal),
        }
    }
}

impl UserDefinedLogicalNodeCore for UnnestTable {
    fn name(&self) -> &str {
        "UnnestTable"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![self.collection.clone()]
    }

    /// What is said of a row alone may be asked before its elements are put to it.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.names.iter().cloned().collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "UnnestTable: {}", self.collection)?;
        if self.outer {
            write!(f, " outer")?;
        }
        write!(f, " AS {} ({})", self.qualifier, self.names.join(", "))
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let malformed = || PlanError::internal("an UNNEST lost its input or its collection");
        let collection = exprs.into_iter().next().ok_or_else(malformed)?;
        let input = inputs.into_iter().next().ok_or_else(malformed)?;
        self.of_rows(input, collection.unalias(), self.outer)
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let input = self.input.schema();
        let width = input.fields().len();
        let own = output_columns.iter().copied().filter(|i| *i < width);
        let mut needed: Vec<usize> = own.collect();
        for column in self.collection.column_refs() {
            needed.push(input.index_of_column(column).ok()?);
        }
        needed.sort_unstable();
        needed.dedup();
        Some(vec![needed])
    }
}
