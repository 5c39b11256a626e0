//! The statements of the language, as the parser hands them on.
//!
//! Names are sqlparser identifiers, so that they keep their position
//! ([`Location::of`]`(ident.span)`) and whether they were quoted.

mod catalog;
mod function;
mod table;

use sqlparser::ast::{Expr, Ident, ObjectName};

use levada_language::error::Location;

pub use catalog::*;
pub use function::*;
pub use table::*;

/// One statement of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedStatement {
    /// What it says.
    pub statement: Statement,
    /// Its text, without the semicolon.
    pub text: String,
    /// Where it begins in the script.
    pub location: Location,
}

/// Any statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// CREATE TABLE.
    CreateTable(CreateTable),
    /// CREATE VIEW.
    CreateView(CreateView),
    /// CREATE MATERIALIZED VIEW.
    CreateMaterializedView(CreateMaterializedView),
    /// DROP TABLE or DROP VIEW.
    Drop(Drop),
    /// ALTER TABLE or ALTER VIEW.
    Alter(Alter),
    /// CREATE, ALTER or DROP of a database.
    Database(DefineDatabase),
    /// CREATE, ALTER or DROP of a catalog.
    Catalog(DefineCatalog),
    /// CREATE, ALTER or DROP of a function.
    Function(DefineFunction),
    /// SHOW.
    Show(Show),
    /// DESCRIBE.
    Describe(Describe),
    /// SET.
    Set(Set),
    /// RESET, of one key, with where it stands, or of all.
    Reset(Option<(String, Location)>),
    /// USE.
    Use(Use),
    /// INSERT.
    Insert(Insert),
    /// EXECUTE STATEMENT SET: several inserts that run as one job.
    StatementSet(Vec<Insert>),
    /// SELECT, WITH or VALUES.
    Query(Query),
    /// EXPLAIN.
    Explain(Explain),
    /// STOP JOB.
    StopJob(StopJob),
}

/// A query whose syntax tree is ready for DataFusion's SQL planner: every construct that
/// DataFusion does not know has been rewritten (see [`crate::parser::rewrite`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The rewritten syntax tree.
    pub ast: Box<sqlparser::ast::Query>,
    /// The text as written.
    pub text: String,
    /// Where the text begins in the script.
    pub location: Location,
    /// Tables that carry an OPTIONS hint; the tree calls them by their [`HintedTable::alias`].
    pub hinted_tables: Vec<HintedTable>,
    /// The hints after SELECT, such as STATE_TTL.
    pub hints: Vec<Hint>,
}

/// `table /*+ OPTIONS('k' = 'v') */` in a query.
#[derive(Debug, Clone, PartialEq)]
pub struct HintedTable {
    /// The name by which the syntax tree refers to this use of the table.
    pub alias: String,
    /// The table's own name.
    pub name: ObjectName,
    /// The options that replace or extend those of the table.
    pub options: Vec<TableOption>,
}

/// A hint, such as `STATE_TTL('o' = '1d', 'p' = '2h')` or `BROADCAST(t)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Hint {
    /// Its name, in capitals.
    pub name: String,
    /// What stands in its parentheses.
    pub args: Vec<HintArg>,
    /// Where it stands.
    pub location: Location,
}

/// An argument of a hint.
#[derive(Debug, Clone, PartialEq)]
pub enum HintArg {
    /// `'key' = 'value'`.
    Pair(TableOption),
    /// A name or a text.
    Name(String),
}

/// An expression of a statement, rewritten for DataFusion as queries are.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// The rewritten syntax tree.
    pub ast: Expr,
    /// The text as written.
    pub text: String,
    /// Where the text begins in the script; `None` if it is of an earlier statement.
    pub location: Option<Location>,
}

/// CREATE VIEW.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateView {
    /// The view's name.
    pub name: ObjectName,
    /// OR REPLACE, IF NOT EXISTS, TEMPORARY.
    pub mode: CreateMode,
    /// The names of the columns, if given.
    pub columns: Vec<Ident>,
    /// The view's comment.
    pub comment: Option<String>,
    /// What it shows.
    pub query: Query,
}

/// CREATE MATERIALIZED VIEW.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateMaterializedView {
    /// The view's name.
    pub name: ObjectName,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// The names of the columns, if given.
    pub columns: Vec<Ident>,
    /// COMMENT.
    pub comment: Option<String>,
    /// FRESHNESS: how far it may be behind, in milliseconds.
    pub freshness_ms: Option<u64>,
    /// What it shows.
    pub query: Query,
}

/// INSERT INTO or INSERT OVERWRITE.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// The table to write to.
    pub table: ObjectName,
    /// Options of the table for this statement, from its OPTIONS hint.
    pub options: Vec<TableOption>,
    /// The columns that the query gives, in its order; empty means all.
    pub columns: Vec<Ident>,
    /// PARTITION (column = value): columns with one value for all rows.
    pub partition: Vec<(Ident, Expression)>,
    /// INSERT OVERWRITE.
    pub overwrite: bool,
    /// What to write.
    pub query: Query,
    /// The statement as written.
    pub text: String,
    /// Where the statement begins in the script.
    pub location: Location,
}

/// EXPLAIN.
#[derive(Debug, Clone, PartialEq)]
pub struct Explain {
    /// What to show; empty means the streaming plan.
    pub details: Vec<ExplainDetail>,
    /// What to explain.
    pub target: ExplainTarget,
}

/// A stage or an annotation that EXPLAIN shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExplainDetail {
    /// CHANGELOG_MODE: the changelog mode of every node.
    ChangelogMode,
    /// ESTIMATED_COST.
    EstimatedCost,
    /// LOGICAL: the logical plan.
    Logical,
    /// JOB GRAPH.
    JobGraph,
    /// JSON_EXECUTION_PLAN: the job graph as JSON.
    JsonExecutionPlan,
}

/// What EXPLAIN explains.
#[derive(Debug, Clone, PartialEq)]
pub enum ExplainTarget {
    /// A query.
    Query(Query),
    /// An INSERT.
    Insert(Box<Insert>),
    /// A statement set.
    StatementSet(Vec<Insert>),
}

/// STOP JOB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopJob {
    /// The job's id, as written.
    pub id: String,
    /// WITH SAVEPOINT.
    pub with_savepoint: bool,
    /// WITH DRAIN.
    pub with_drain: bool,
    /// Where the id stands.
    pub location: Location,
}
