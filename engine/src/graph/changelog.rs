//! Changes as rows and rows as changes (`TO_CHANGELOG`, `FROM_CHANGELOG`) in a job graph.

use serde::{Deserialize, Serialize};

use crate::element::RowKind;

/// Makes a row of every change: an insert of what was changed, with a code for the kind of the change.
///
/// Changes of a kind without a code are left out. One half of an update that comes without the other is a delete or an
/// insert, and so are the two halves of an update between rows of different identity.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ToChangelogSpec {
    /// The codes of kinds; each kind has one at most.
    pub codes: Vec<(String, RowKind)>,
    /// What the output has, column by column: a column of the input, or the code.
    pub columns: Vec<Option<usize>>,
    /// The columns of the input that a row keeps as long as it is the same; none if there are no such columns.
    pub identity: Vec<usize>,
    /// Whether an update-after comes with the row before, if there was one.
    pub with_before: bool,
}

/// Makes a change of every row, which only ever come: of the kind that its code says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FromChangelogSpec {
    /// The column with the code, a text.
    pub op: usize,
    /// Its name, for messages.
    pub op_name: String,
    /// The kinds of codes; each code is there once.
    pub codes: Vec<(String, RowKind)>,
    /// Whether rows with another code, or with none, are left out; else they fail the job.
    pub skip: bool,
    /// The columns of the input that the output has.
    pub columns: Vec<usize>,
}
