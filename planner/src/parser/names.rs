//! Names and their case.
//!
//! Names keep their case. A name means the thing that has exactly that name; if there is
//! none, the one thing that differs only in case; two such things are no match.
//!
//! DataFusion's SQL planner compares names exactly. So [`resolve_query`] is run on a syntax
//! tree before it, and gives every name the case of the thing that it means. Columns and
//! tables that mean nothing are left as they are: DataFusion reports them, with their
//! position. Fields that a ROW does not have are reported here, since DataFusion would not
//! know their position.

mod changelogs;
mod patterns;
mod scope;
#[cfg(test)]
mod tests;
mod unnest;

use std::ops::ControlFlow;

use arrow::datatypes::{DataType, Fields, SchemaRef};
use sqlparser::ast::{
    Expr, GroupByExpr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart,
    OrderBy, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, TableAlias,
    TableFactor, TableWithJoins, VisitMut, VisitorMut,
};
use sqlparser::tokenizer::Span;

use levada_language::error::{Location, PlanError, PlanErrorKind};
pub(crate) use patterns::pattern_variables;
use scope::{Column, Relation, Scope};
pub(crate) use unnest::{column_names, element_columns};

/// The condition in the operator of a join, borrowed as the operator is.
macro_rules! join_constraint {
    ($operator:expr) => {
        match $operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::Left(constraint)
            | JoinOperator::LeftOuter(constraint)
            | JoinOperator::Right(constraint)
            | JoinOperator::RightOuter(constraint)
            | JoinOperator::FullOuter(constraint)
            | JoinOperator::CrossJoin(constraint)
            | JoinOperator::Semi(constraint)
            | JoinOperator::LeftSemi(constraint)
            | JoinOperator::RightSemi(constraint)
            | JoinOperator::Anti(constraint)
            | JoinOperator::LeftAnti(constraint)
            | JoinOperator::RightAnti(constraint) => Some(constraint),
            _ => None,
        }
    };
}

/// The candidate that `name` means: the exact one, else the only one that differs in case alone.
pub fn resolve<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let mut near: Option<&str> = None;
    let mut ambiguous = false;
    for candidate in candidates {
        if candidate == name {
            return Some(candidate);
        }
        if candidate.to_lowercase() == wanted {
            ambiguous |= near.is_some_and(|earlier| earlier != candidate);
            near = Some(candidate);
        }
    }
    if ambiguous { None } else { near }
}

/// Tables and views by name.
pub trait TableNames {
    /// The table or view that `name` means ([`resolve`] says which), its parts as written.
    fn find(&self, name: &[&str]) -> Option<FoundTable>;
}

/// A table or view.
#[derive(Debug, Clone)]
pub struct FoundTable {
    /// Its name with as many parts as were asked for.
    pub name: Vec<String>,
    /// Its columns.
    pub schema: SchemaRef,
}

/// Gives every name in a query the case of what it means.
///
/// # Errors
/// A field that its ROW does not have.
pub fn resolve_query(query: &mut Query, tables: &dyn TableNames) -> Result<(), PlanError> {
    let mut resolver = Resolver::new(tables);
    resolver.query(query, &[]);
    resolver.finish()
}

/// Gives every column name in an expression over `schema` the case of the column.
///
/// # Errors
/// A field that its ROW does not have.
pub fn resolve_expression(
    expr: &mut Expr,
    schema: &SchemaRef,
    tables: &dyn TableNames,
) -> Result<(), PlanError> {
    let scope = Scope::of_relation(Relation::of_schema(Vec::new(), schema));
    let mut resolver = Resolver::new(tables);
    resolver.expressions(expr, &[&scope]);
    resolver.finish()
}

/// Walks a query from the inside out: first what FROM names, then the expressions over it.
struct Resolver<'a> {
    tables: &'a dyn TableNames,
    /// Common table expressions in sight, the innermost last.
    ctes: Vec<(String, Vec<Column>)>,
    /// The first thing that is wrong.
    error: Option<PlanError>,
}

impl<'a> Resolver<'a> {
    fn new(tables: &'a dyn TableNames) -> Self {
        Self {
            tables,
            ctes: Vec::new(),
            error: None,
        }
    }

    fn finish(self) -> Result<(), PlanError> {
        self.error.map_or(Ok(()), Err)
    }

    /// Resolves a query whose outer queries have `outer` in sight, and returns its columns.
    fn query(&mut self, query: &mut Query, outer: &[&Scope]) -> Vec<Column> {
        let visible = self.ctes.len();
        for cte in query.with.iter_mut().flat_map(|with| &mut with.cte_tables) {
            let columns = self.query(&mut cte.query, outer);
            let columns = rename(columns, &cte.alias);
            self.ctes.push((cte.alias.name.value.clone(), columns));
        }
        let columns = self.body(&mut query.body, query.order_by.as_mut(), outer);
        self.ctes.truncate(visible);
        columns
    }

    fn body(
        &mut self,
        body: &mut SetExpr,
        order_by: Option<&mut OrderBy>,
        outer: &[&Scope],
    ) -> Vec<Column> {
        match body {
            SetExpr::Select(select) => self.select(select, order_by, outer),
            SetExpr::Query(query) => self.query(query, outer),
            SetExpr::SetOperation { left, right, .. } => {
                let columns = self.body(left, None, outer);
                self.body(right, None, outer);
                if let Some(order_by) = order_by {
                    let scope = Scope::of_relation(Relation::unnamed(columns.clone()));
                    self.expressions(order_by, &with_inner(outer, &scope));
                }
                columns
            }
            SetExpr::Values(values) => {
                let width = values.rows.first().map_or(0, |row| row.len());
                self.expressions(values, outer);
                (1..=width)
                    .map(|number| Column::untyped(format!("column{number}")))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    fn select(
        &mut self,
        select: &mut Select,
        order_by: Option<&mut OrderBy>,
        outer: &[&Scope],
    ) -> Vec<Column> {
        let mut scope = Scope::default();
        for table in &mut select.from {
            self.table_with_joins(table, &mut scope, outer);
        }
        let scopes = with_inner(outer, &scope);
        for item in &mut select.projection {
            self.select_item(item, &scopes);
        }
        self.expressions(&mut select.distinct, &scopes);
        self.expressions(&mut select.selection, &scopes);
        let columns = output_columns(&select.projection, &scope);

        // GROUP BY, HAVING, QUALIFY and ORDER BY may also name what SELECT yields.
        let mut extended = scope.clone();
        extended.push(Relation::unnamed(columns.clone()));
        let scopes = with_inner(outer, &extended);
        if let GroupByExpr::Expressions(expressions, _) = &mut select.group_by {
            self.expressions(expressions, &scopes);
        }
        self.expressions(&mut select.having, &scopes);
        self.expressions(&mut select.qualify, &scopes);
        self.expressions(&mut select.named_window, &scopes);
        if let Some(order_by) = order_by {
            self.expressions(order_by, &scopes);
        }
        columns
    }

    fn select_item(&mut self, item: &mut SelectItem, scopes: &[&Scope]) {
        match item {
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                if let [ObjectNamePart::Identifier(ident)] = name.0.as_mut_slice()
                    && let Some(found) = scopes
                        .iter()
                        .rev()
                        .find_map(|s| s.relation_name(&ident.value))
                {
                    ident.value = found;
                }
            }
            other => self.expressions(other, scopes),
        }
    }

    fn table_with_joins(
        &mut self,
        table: &mut TableWithJoins,
        scope: &mut Scope,
        outer: &[&Scope],
    ) {
        self.table_factor(&mut table.relation, scope, outer);
        for join in &mut table.joins {
            self.table_factor(&mut join.relation, scope, outer);
            if let Some(constraint) = constraint_of(join) {
                self.constraint(constraint, scope, outer);
            }
        }
    }

    fn constraint(&mut self, constraint: &mut JoinConstraint, scope: &Scope, outer: &[&Scope]) {
        match constraint {
            JoinConstraint::On(condition) => self.expressions(condition, &with_inner(outer, scope)),
            JoinConstraint::Using(names) => {
                for ident in names.iter_mut().filter_map(single_ident) {
                    if let Some(found) = scope.column_name(&ident.value) {
                        ident.value = found;
                    }
                    self.error = self.error.take().or_else(|| scope.unshared(ident));
                }
            }
            JoinConstraint::Natural | JoinConstraint::None => {}
        }
    }

    fn table_factor(&mut self, factor: &mut TableFactor, scope: &mut Scope, outer: &[&Scope]) {
        match factor {
            TableFactor::Table { name, alias, .. } => {
                let at = name.0.last().and_then(|part| part.as_ident());
                let at = at.map(|ident| ident.span);
                let relation = self.table(name);
                self.enter(relation, alias.as_ref(), at, scope);
            }
            TableFactor::Derived {
                lateral,
                subquery,
                alias,
                ..
            } => {
                let columns = if *lateral {
                    let left = scope.clone();
                    self.query(subquery, &with_inner(outer, &left))
                } else {
                    self.query(subquery, outer)
                };
                self.enter(Relation::unnamed(columns), alias.as_ref(), None, scope);
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias,
            } => {
                let mut inner = Scope::default();
                self.table_with_joins(table_with_joins, &mut inner, outer);
                match alias {
                    Some(_) => {
                        let columns = inner.columns().cloned().collect();
                        scope.push(aliased(Relation::unnamed(columns), alias.as_ref()));
                    }
                    None => scope.extend(inner),
                }
            }
            TableFactor::UNNEST {
                alias: Some(alias),
                array_exprs,
                with_ordinality,
                ..
            } => {
                let left = scope.clone();
                self.expressions(array_exprs, &with_inner(outer, &left));
                let collection = array_exprs.first();
                scope.push(unnest::relation(collection, *with_ordinality, alias, &left));
            }
            TableFactor::MatchRecognize { .. } => self.pattern(factor, scope, outer),
            TableFactor::Unpivot { .. } => self.changelog(factor, scope, outer),
            _ => {}
        }
    }

    /// Puts a table of FROM into the scope by the name that it has there. `at` is where it stands if it has no alias.
    fn enter(
        &mut self,
        relation: Relation,
        alias: Option<&TableAlias>,
        at: Option<Span>,
        scope: &mut Scope,
    ) {
        let relation = aliased(relation, alias);
        // Two tables of one name cannot be told apart.
        if !relation.name.is_empty() && scope.has(&relation.name) {
            let name = relation.name.join(".");
            let at = alias.map(|alias| alias.name.span).or(at);
            self.error.get_or_insert(
                PlanError::new(
                    PlanErrorKind::DuplicateName,
                    format!("two tables are called {name} here"),
                )
                .hint(format!("give one of them another name: {name} AS other"))
                .at(at.and_then(Location::of)),
            );
        }
        scope.push(relation);
    }

    /// A table by its name, which gets the table's case.
    fn table(&mut self, name: &mut ObjectName) -> Relation {
        if let Some(ident) = single_ident(name) {
            let ctes = self.ctes.iter().rev();
            if let Some(found) = resolve(&ident.value, ctes.clone().map(|(name, _)| name.as_str()))
            {
                let columns = ctes
                    .clone()
                    .find(|(name, _)| name == found)
                    .map(|(_, columns)| columns.clone());
                ident.value = found.to_string();
                return Relation {
                    name: vec![ident.value.clone()],
                    columns: columns.unwrap_or_default(),
                };
            }
        }
        let mut idents: Vec<&mut Ident> = name
            .0
            .iter_mut()
            .filter_map(|part| match part {
                ObjectNamePart::Identifier(ident) => Some(ident),
                ObjectNamePart::Function(_) => None,
            })
            .collect();
        let parts: Vec<&str> = idents.iter().map(|ident| ident.value.as_str()).collect();
        match self.tables.find(&parts) {
            Some(found) => {
                for (ident, part) in idents.iter_mut().zip(&found.name) {
                    ident.value.clone_from(part);
                }
                Relation::of_schema(found.name, &found.schema)
            }
            None => Relation {
                name: parts.into_iter().map(str::to_string).collect(),
                columns: Vec::new(),
            },
        }
    }

    /// Resolves all names in a part of the tree, the last scope being the nearest.
    fn expressions(&mut self, part: &mut impl VisitMut, scopes: &[&Scope]) {
        let mut visitor = Names {
            resolver: self,
            scopes,
            depth: 0,
        };
        // The visitor never breaks.
        let _ = part.visit(&mut visitor);
    }
}

/// Visits the names of expressions. Subqueries go back to the resolver, with what is in sight.
struct Names<'r, 'a, 's> {
    resolver: &'r mut Resolver<'a>,
    scopes: &'s [&'s Scope],
    /// How many subqueries deep the visit is; inside them the resolver has been already.
    depth: usize,
}

impl VisitorMut for Names<'_, '_, '_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if self.depth == 0 {
            self.resolver.query(query, self.scopes);
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if self.depth == 0 {
            let resolved = match expr {
                Expr::Identifier(ident) => {
                    scope::resolve_path(std::slice::from_mut(ident), self.scopes)
                }
                Expr::CompoundIdentifier(idents) => scope::resolve_path(idents, self.scopes),
                _ => Ok(()),
            };
            if let Err(error) = resolved {
                self.resolver.error.get_or_insert(error);
            }
        }
        ControlFlow::Continue(())
    }
}

fn with_inner<'s>(outer: &[&'s Scope], inner: &'s Scope) -> Vec<&'s Scope> {
    outer.iter().copied().chain([inner]).collect()
}

fn single_ident(name: &mut ObjectName) -> Option<&mut Ident> {
    match name.0.as_mut_slice() {
        [ObjectNamePart::Identifier(ident)] => Some(ident),
        _ => None,
    }
}

fn aliased(relation: Relation, alias: Option<&TableAlias>) -> Relation {
    match alias {
        None => relation,
        Some(alias) => Relation {
            name: vec![alias.name.value.clone()],
            columns: rename(relation.columns, alias),
        },
    }
}

/// Columns under the names that an alias gives them.
fn rename(mut columns: Vec<Column>, alias: &TableAlias) -> Vec<Column> {
    for (column, name) in columns.iter_mut().zip(&alias.columns) {
        column.name.clone_from(&name.name.value);
    }
    columns
}

fn constraint_of(join: &mut Join) -> Option<&mut JoinConstraint> {
    join_constraint!(&mut join.join_operator)
}

/// The condition of a join.
pub(super) fn constraint(join: &Join) -> Option<&JoinConstraint> {
    join_constraint!(&join.join_operator)
}

/// The columns that a SELECT yields, as far as they have names.
fn output_columns(projection: &[SelectItem], scope: &Scope) -> Vec<Column> {
    let mut columns = Vec::new();
    for item in projection {
        match item {
            SelectItem::Wildcard(_) => columns.extend(scope.columns().cloned()),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                columns.extend(scope.columns_of(&name.to_string()));
            }
            SelectItem::ExprWithAlias { expr, alias } => columns.push(Column {
                name: alias.value.clone(),
                data_type: data_type(expr, scope),
            }),
            SelectItem::UnnamedExpr(expr) => {
                let last = match expr {
                    Expr::Identifier(ident) => Some(ident),
                    Expr::CompoundIdentifier(idents) => idents.last(),
                    _ => None,
                };
                columns.push(Column {
                    name: last.map(|ident| ident.value.clone()).unwrap_or_default(),
                    data_type: data_type(expr, scope),
                });
            }
            _ => columns.push(Column::untyped(String::new())),
        }
    }
    columns
}

/// The type of a column or field; other expressions have no fields that could be named.
fn data_type(expr: &Expr, scope: &Scope) -> Option<DataType> {
    match expr {
        Expr::Identifier(ident) => scope.type_of(std::slice::from_ref(ident)),
        Expr::CompoundIdentifier(idents) => scope.type_of(idents),
        _ => None,
    }
}

/// The fields of a ROW.
fn fields(data_type: &DataType) -> Option<&Fields> {
    match data_type {
        DataType::Struct(fields) => Some(fields),
        _ => None,
    }
}
