//! The types of CAST and of typed literals, for DataFusion's SQL planner.

use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::planner::TypePlanner;
use sqlparser::ast::DataType as AstType;

use super::parse_type_text;

/// Gives every SQL type in an expression the meaning that it has in CREATE TABLE.
///
/// The syntax tree keeps a type as text that is a type of this dialect, so that is what is
/// read. Register it with `SessionStateBuilder::with_type_planner`.
#[derive(Debug, Default, Clone, Copy)]
pub struct SqlTypePlanner;

impl TypePlanner for SqlTypePlanner {
    fn plan_type_field(&self, sql_type: &AstType) -> Result<Option<FieldRef>> {
        let parsed = parse_type_text(&sql_type.to_string())?;
        // The result of a cast can always be NULL, whatever its type says.
        let field = Field::new("", parsed.sql_type.to_arrow(), true);
        Ok(Some(Arc::new(field)))
    }
}
