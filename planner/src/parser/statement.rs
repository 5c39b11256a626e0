//! The statements of the language, as the parser hands them on.
//!
//! Names are sqlparser identifiers, so that they keep their position
//! ([`Location::of`]`(ident.span)`) and whether they were quoted.

use sqlparser::ast::{Expr, Ident, ObjectName};

use levada_language::error::Location;
use levada_language::types::Nullable;

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
    /// DROP TABLE or DROP VIEW.
    Drop(Drop),
    /// SHOW.
    Show(Show),
    /// DESCRIBE.
    Describe(ObjectName),
    /// SET.
    Set(Set),
    /// RESET, of one key or of all.
    Reset(Option<String>),
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
    /// Where the text begins in the script.
    pub location: Location,
}

/// What CREATE may say about an object that exists already, and about how long it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CreateMode {
    /// OR REPLACE.
    pub or_replace: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// TEMPORARY: for this session only.
    pub temporary: bool,
}

/// CREATE TABLE.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTable {
    /// The table's name.
    pub name: ObjectName,
    /// OR REPLACE, IF NOT EXISTS, TEMPORARY.
    pub mode: CreateMode,
    /// The columns, in their order; no two have the same name.
    pub columns: Vec<Column>,
    /// WATERMARK FOR; its column exists.
    pub watermark: Option<Watermark>,
    /// PRIMARY KEY; its columns exist.
    pub primary_key: Option<PrimaryKey>,
    /// The table's comment.
    pub comment: Option<String>,
    /// PARTITIONED BY; the columns exist.
    pub partitioned_by: Vec<Ident>,
    /// WITH; no key appears twice.
    pub options: Vec<TableOption>,
}

/// A column of CREATE TABLE.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The column's name.
    pub name: Ident,
    /// Where its values come from.
    pub kind: ColumnKind,
    /// The column's comment.
    pub comment: Option<String>,
}

/// Where a column's values come from.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnKind {
    /// From the rows themselves.
    Physical(Nullable),
    /// `name AS expression` over other columns.
    Computed(Expression),
    /// `name type METADATA [FROM 'key'] [VIRTUAL]`: from the connector or the format.
    Metadata {
        /// The column's type.
        data_type: Nullable,
        /// FROM 'key'; without it the key is the column's name.
        key: Option<String>,
        /// VIRTUAL: read, never written.
        is_virtual: bool,
    },
}

/// `WATERMARK FOR column AS expression`.
#[derive(Debug, Clone, PartialEq)]
pub struct Watermark {
    /// The event-time column.
    pub column: Ident,
    /// The watermark of a row.
    pub expression: Expression,
    /// Where the clause begins.
    pub location: Location,
}

/// `[CONSTRAINT name] PRIMARY KEY (columns) NOT ENFORCED`.
#[derive(Debug, Clone, PartialEq)]
pub struct PrimaryKey {
    /// The constraint's name.
    pub name: Option<Ident>,
    /// The key's columns.
    pub columns: Vec<Ident>,
    /// Where the clause begins.
    pub location: Location,
}

/// `'key' = 'value'`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableOption {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
    /// Where the key stands.
    pub key_location: Location,
    /// Where the value stands.
    pub value_location: Location,
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

/// What DROP drops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// A table.
    Table,
    /// A view.
    View,
}

/// DROP TABLE or DROP VIEW.
#[derive(Debug, Clone, PartialEq)]
pub struct Drop {
    /// Table or view.
    pub kind: ObjectKind,
    /// Its name.
    pub name: ObjectName,
    /// IF EXISTS.
    pub if_exists: bool,
    /// TEMPORARY.
    pub temporary: bool,
}

/// SHOW.
#[derive(Debug, Clone, PartialEq)]
pub enum Show {
    /// SHOW TABLES: tables and views.
    Tables,
    /// SHOW VIEWS.
    Views,
    /// SHOW JOBS.
    Jobs,
    /// SHOW FUNCTIONS.
    Functions,
    /// SHOW CATALOGS.
    Catalogs,
    /// SHOW CURRENT CATALOG.
    CurrentCatalog,
    /// SHOW DATABASES.
    Databases,
    /// SHOW CURRENT DATABASE.
    CurrentDatabase,
    /// SHOW COLUMNS FROM name.
    Columns(ObjectName),
    /// SHOW CREATE TABLE name.
    CreateTable(ObjectName),
    /// SHOW CREATE VIEW name.
    CreateView(ObjectName),
}

/// SET.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Set {
    /// SET alone: list what is set.
    List,
    /// SET 'key' = 'value'.
    Value {
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// Where the key stands.
        location: Location,
    },
}

/// USE.
#[derive(Debug, Clone, PartialEq)]
pub enum Use {
    /// USE CATALOG name.
    Catalog(Ident),
    /// USE \[catalog.\]database.
    Database(ObjectName),
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
