//! Bounds on what a statement may nest, so that no text exhausts the stack.
//!
//! sqlparser bounds parentheses and subqueries while it reads them. What it reads in a loop, such
//! as `a + b + c …`, becomes a tree that leans to the left, as deep as the chain is long, and
//! everything after walks it by recursion. So chains are bounded here: by counting operators
//! before the text is read, and by the depth of the tree after. Long chains of AND, OR and UNION
//! ALL, whose order does not matter, are made into balanced trees first.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Query, Select, SetExpr, SetOperator, SetQuantifier, Spanned, Value,
    VisitMut, VisitorMut,
};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use levada_language::error::{Location, PlanError, PlanErrorKind};

/// The most operators between two commas, however they group.
const OPERATORS: usize = 1_000;
/// The most set operations and joins in a row.
const SET_OPERATIONS: usize = 1_000;
/// The deepest that expressions nest.
const EXPRESSION_DEPTH: usize = 200;
/// The most set operations in a row that are not all UNION ALL.
const SET_DEPTH: usize = 100;
/// The most conditions that AND or OR connect in a row.
const CONDITIONS: usize = 500;
/// The most tables in one FROM, and the most common table expressions in one WITH.
const TABLES: usize = 200;
/// Shorter chains are left as they are.
const LONG_CHAIN: usize = 32;

/// Refuses chains that could not even be read.
///
/// # Errors
/// The first token that goes too far, by its position.
pub(super) fn check_tokens(tokens: &[TokenWithSpan]) -> Result<(), PlanError> {
    let mut open = vec![Chain::default()];
    for token in tokens {
        let Some(chain) = open.last_mut() else {
            open.push(Chain::default());
            continue;
        };
        match &token.token {
            Token::SemiColon => open = vec![Chain::default()],
            Token::Comma => chain.operators = 0,
            Token::LParen | Token::LBracket => {
                chain.operators += 1;
                open.push(Chain::default());
            }
            Token::RParen | Token::RBracket => {
                open.pop();
            }
            Token::Word(word) if word.quote_style.is_none() => chain.word(&word.value),
            Token::Word(_) | Token::Number(..) | Token::Whitespace(_) | Token::Period => {}
            _ => chain.operators += 1,
        }
        let too_long = open
            .last()
            .is_some_and(|c| c.operators > OPERATORS || c.sets > SET_OPERATIONS);
        if too_long {
            return Err(too_deep().at(Location::of(token.span)));
        }
    }
    Ok(())
}

/// What is counted within one pair of parentheses.
#[derive(Default)]
struct Chain {
    operators: usize,
    sets: usize,
}

impl Chain {
    fn word(&mut self, word: &str) {
        const OPERATORS: &[&str] = &[
            "AND", "OR", "NOT", "IS", "LIKE", "ILIKE", "IN", "BETWEEN", "SIMILAR", "AT", "COLLATE",
            "DIV",
        ];
        const SETS: &[&str] = &["UNION", "INTERSECT", "EXCEPT", "MINUS", "JOIN"];
        const BEGINS: &[&str] = &["SELECT", "FROM", "WHERE", "HAVING", "WHEN", "THEN", "ELSE"];
        let is = |list: &[&str]| list.iter().any(|known| word.eq_ignore_ascii_case(known));
        if is(OPERATORS) {
            self.operators += 1;
        } else if is(SETS) {
            self.sets += 1;
        } else if is(BEGINS) {
            self.operators = 0;
        }
    }
}

/// Balances long chains of a tree, and refuses what is too deep nevertheless.
///
/// # Errors
/// See above; the position is that of the outermost expression that is too deep.
pub(super) fn bound(tree: &mut impl VisitMut) -> Result<(), PlanError> {
    let mut bounds = Bounds {
        depth: 0,
        outermost: None,
    };
    match tree.visit(&mut bounds) {
        ControlFlow::Break(error) => Err(error.or_at(bounds.outermost)),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Bounds {
    depth: usize,
    outermost: Option<Location>,
}

impl VisitorMut for Bounds {
    type Break = PlanError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<PlanError> {
        balance_sets(&mut query.body);
        let tables = query.with.as_ref().map_or(0, |with| with.cte_tables.len());
        match set_depth(&query.body) > SET_DEPTH || tables > TABLES {
            true => ControlFlow::Break(too_deep()),
            false => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<PlanError> {
        let joins = select.from.iter().map(|table| 1 + table.joins.len());
        match joins.sum::<usize>() > TABLES {
            true => ControlFlow::Break(too_deep().at(Location::of(select.select_token.0.span))),
            false => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<PlanError> {
        if self.depth == 0 {
            self.outermost = first_location(expr);
        }
        self.depth += 1;
        if self.depth > EXPRESSION_DEPTH || !balance_conditions(expr) {
            return ControlFlow::Break(too_deep());
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _: &mut Expr) -> ControlFlow<PlanError> {
        self.depth = self.depth.saturating_sub(1);
        ControlFlow::Continue(())
    }
}

fn too_deep() -> PlanError {
    PlanError::new(PlanErrorKind::Syntax, "the statement is nested too deeply").hint(format!(
        "chains of operators go to {EXPRESSION_DEPTH}, of AND and OR to {CONDITIONS}; split it with \
         views or common table expressions"
    ))
}

/// Where the leftmost part of an expression stands.
fn first_location(expr: &Expr) -> Option<Location> {
    let mut first = expr;
    while let Expr::BinaryOp { left, .. } = first {
        first = left;
    }
    Location::of(first.span())
}

/// Balances a long chain of AND or of OR; false if it is too long.
fn balance_conditions(expr: &mut Expr) -> bool {
    let Expr::BinaryOp { op, .. } = expr else {
        return true;
    };
    if !matches!(op, BinaryOperator::And | BinaryOperator::Or) {
        return true;
    }
    let op = op.clone();
    let (mut length, mut node) = (0, &*expr);
    while let Expr::BinaryOp { left, op: same, .. } = node
        && *same == op
    {
        length += 1;
        node = left;
    }
    if length > CONDITIONS {
        return false;
    }
    if length < LONG_CHAIN {
        return true;
    }
    let mut operands = Vec::with_capacity(length + 1);
    let mut rest = std::mem::replace(expr, Expr::Value(Value::Null.into()));
    loop {
        match rest {
            Expr::BinaryOp {
                left,
                op: same,
                right,
            } if same == op => {
                operands.push(*right);
                rest = *left;
            }
            last => {
                operands.push(last);
                break;
            }
        }
    }
    operands.reverse();
    if let Some(tree) = balanced(operands, &|left, right| Expr::BinaryOp {
        left: Box::new(left),
        op: op.clone(),
        right: Box::new(right),
    }) {
        *expr = tree;
    }
    true
}

fn balance_sets(body: &mut SetExpr) {
    let is_chain = |set: &SetExpr| {
        matches!(
            set,
            SetExpr::SetOperation {
                op: SetOperator::Union,
                set_quantifier: SetQuantifier::All,
                ..
            }
        )
    };
    let (mut length, mut node) = (0, &*body);
    while let SetExpr::SetOperation { left, .. } = node
        && is_chain(node)
    {
        length += 1;
        node = left;
    }
    if length < LONG_CHAIN {
        return;
    }
    let nothing = SetExpr::Values(sqlparser::ast::Values {
        explicit_row: false,
        value_keyword: false,
        rows: Vec::new(),
    });
    let mut branches = Vec::with_capacity(length + 1);
    let mut rest = std::mem::replace(body, nothing);
    loop {
        match rest {
            SetExpr::SetOperation { left, right, .. } if length > 0 => {
                length -= 1;
                branches.push(*right);
                rest = *left;
            }
            last => {
                branches.push(last);
                break;
            }
        }
    }
    branches.reverse();
    if let Some(tree) = balanced(branches, &|left, right| SetExpr::SetOperation {
        op: SetOperator::Union,
        set_quantifier: SetQuantifier::All,
        left: Box::new(left),
        right: Box::new(right),
    }) {
        *body = tree;
    }
}

/// One tree of all parts in their order, as shallow as can be.
fn balanced<T>(mut parts: Vec<T>, join: &impl Fn(T, T) -> T) -> Option<T> {
    if parts.len() < 2 {
        return parts.pop();
    }
    let after = parts.split_off(parts.len() / 2);
    let (left, right) = (balanced(parts, join)?, balanced(after, join)?);
    Some(join(left, right))
}

fn set_depth(body: &SetExpr) -> usize {
    let (mut deepest, mut open) = (0, vec![(body, 0)]);
    while let Some((node, depth)) = open.pop() {
        deepest = deepest.max(depth);
        if let SetExpr::SetOperation { left, right, .. } = node {
            open.extend([(&**left, depth + 1), (&**right, depth + 1)]);
        }
    }
    deepest
}
