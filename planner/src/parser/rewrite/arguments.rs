//! The arguments of table functions: `F(TABLE t PARTITION BY k, DESCRIPTOR(c), SIZE => INTERVAL '1' HOUR)`.

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, Ident,
    ObjectName, OrderByExpr, Query, TableAlias, TableFactor, WindowType,
};
use sqlparser::tokenizer::Span;

use super::{expression_location, name_location};
use levada_language::dialect::TABLE_ARGUMENT;
use levada_language::error::{Location, PlanError, PlanErrorKind};

/// What a table function takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signature {
    /// Its name.
    pub(super) function: &'static str,
    /// The names of its arguments, in the order of those that have none.
    pub(super) names: &'static [&'static str],
    /// How many of them may stand there without a name.
    pub(super) unnamed: usize,
    /// A call that can be taken.
    pub(super) shape: &'static str,
    /// What a call is that cannot.
    pub(super) error: PlanErrorKind,
}

/// The arguments of a call, each in its place.
pub(super) struct Arguments<'a> {
    signature: Signature,
    /// Where the function stands.
    pub(super) span: Span,
    values: Vec<Option<&'a Expr>>,
}

/// A table as an argument.
pub(super) struct TableArgument {
    pub(super) table: TableFactor,
    pub(super) partition_by: Vec<Expr>,
    pub(super) order_by: Vec<OrderByExpr>,
    /// Where it stands; none of a query.
    pub(super) location: Option<Location>,
}

impl<'a> Arguments<'a> {
    pub(super) fn bind(
        signature: Signature,
        name: &ObjectName,
        args: &'a [FunctionArg],
    ) -> Result<Self, PlanError> {
        let ident = name.0.first().and_then(|part| part.as_ident());
        let mut bound = Arguments {
            signature,
            span: ident.map_or_else(Span::empty, |ident| ident.span),
            values: vec![None; signature.names.len()],
        };
        for (position, arg) in args.iter().enumerate() {
            let (index, value) = match arg {
                FunctionArg::Named { name, arg, .. } => {
                    let index = bound.place(&name.value);
                    (index.ok_or_else(|| bound.unknown(name))?, arg)
                }
                FunctionArg::Unnamed(arg) if position < signature.unnamed => (position, arg),
                FunctionArg::Unnamed(_) | FunctionArg::ExprNamed { .. } => {
                    return Err(bound.usage());
                }
            };
            match (bound.values.get_mut(index), value) {
                (Some(slot @ None), FunctionArgExpr::Expr(value)) => *slot = Some(value),
                _ => return Err(bound.usage()),
            }
        }
        Ok(bound)
    }

    /// The name of the function.
    pub(super) fn function(&self) -> &'static str {
        self.signature.function
    }

    fn place(&self, name: &str) -> Option<usize> {
        let mut names = self.signature.names.iter();
        names.position(|own| own.eq_ignore_ascii_case(name))
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Expr> {
        self.values.get(self.place(name)?).copied().flatten()
    }

    pub(super) fn require(&self, name: &str) -> Result<&'a Expr, PlanError> {
        self.get(name).ok_or_else(|| self.usage())
    }

    /// `TABLE t PARTITION BY k ORDER BY c`, or a query.
    pub(super) fn table(&self, name: &str) -> Result<TableArgument, PlanError> {
        let argument = match self.require(name)? {
            Expr::Function(function) if function.name.to_string() == TABLE_ARGUMENT => function,
            Expr::Subquery(query) => {
                return Ok(TableArgument {
                    table: derived(query.clone(), None),
                    partition_by: Vec::new(),
                    order_by: Vec::new(),
                    location: None,
                });
            }
            _ => return Err(self.usage()),
        };
        let idents = match single_argument(argument) {
            Some(Expr::Identifier(ident)) => vec![ident.clone()],
            Some(Expr::CompoundIdentifier(idents)) => idents.clone(),
            _ => return Err(self.usage()),
        };
        let (partition_by, order_by) = match &argument.over {
            Some(WindowType::WindowSpec(spec)) => {
                (spec.partition_by.clone(), spec.order_by.clone())
            }
            _ => (Vec::new(), Vec::new()),
        };
        Ok(TableArgument {
            table: plain_table(ObjectName::from(idents)),
            partition_by,
            order_by,
            location: name_location(&argument.name),
        })
    }

    /// The column in `DESCRIPTOR(column)`.
    pub(super) fn descriptor(&self, name: &str) -> Result<&'a Expr, PlanError> {
        let descriptor = match self.require(name)? {
            Expr::Function(function)
                if function.name.to_string().eq_ignore_ascii_case("DESCRIPTOR") =>
            {
                function
            }
            _ => return Err(self.usage()),
        };
        match single_argument(descriptor) {
            Some(column) if is_column(column) => Ok(column),
            _ => Err(self.no_column(name_location(&descriptor.name))),
        }
    }

    /// What DESCRIPTOR has in it is not what can be taken.
    pub(super) fn no_column(&self, at: Option<Location>) -> PlanError {
        self.refused("DESCRIPTOR takes the name of one column")
            .at(at)
    }

    /// The error of an argument; whoever calls knows better where.
    pub(super) fn refused(&self, message: impl Into<String>) -> PlanError {
        PlanError::new(self.signature.error, message)
    }

    /// The error of the call.
    pub(super) fn error(&self, message: impl Into<String>) -> PlanError {
        self.refused(message).at(Location::of(self.span))
    }

    /// The error of a value.
    pub(super) fn refused_at(&self, message: impl Into<String>, value: &Expr) -> PlanError {
        self.error(message).at(expression_location(value))
    }

    pub(super) fn usage(&self) -> PlanError {
        let function = self.function();
        self.error(format!("the arguments of {function} do not fit"))
            .hint(self.write())
    }

    /// The hint that says how a call looks.
    pub(super) fn write(&self) -> String {
        format!("write {}", self.signature.shape)
    }

    fn unknown(&self, name: &Ident) -> PlanError {
        let Signature {
            function, names, ..
        } = self.signature;
        self.refused(format!("{function} has no argument {}", name.value))
            .hint(format!("its arguments are {}", names.join(", ")))
            .at(Location::of(name.span))
    }
}

pub(super) fn is_column(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

fn single_argument(function: &Function) -> Option<&Expr> {
    match &function.args {
        FunctionArguments::List(FunctionArgumentList { args, .. }) => match args.as_slice() {
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))] => Some(expr),
            _ => None,
        },
        _ => None,
    }
}

/// A query as a table.
pub(super) fn derived(subquery: Box<Query>, alias: Option<TableAlias>) -> TableFactor {
    TableFactor::Derived {
        lateral: false,
        subquery,
        alias,
        sample: None,
    }
}

fn plain_table(name: ObjectName) -> TableFactor {
    TableFactor::Table {
        name,
        alias: None,
        args: None,
        with_hints: vec![],
        version: None,
        with_ordinality: false,
        partitions: vec![],
        json_path: None,
        sample: None,
        index_hints: vec![],
    }
}
