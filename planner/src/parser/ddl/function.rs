//! CREATE, ALTER and DROP of functions.

use sqlparser::ast::ObjectName;
use sqlparser::tokenizer::Token;

use crate::parser::Script;
use crate::parser::statement::{
    CreateMode, DefineFunction, FunctionBody, FunctionDeclaration, ModuleBody, Parameter, Statement,
};
use levada_language::error::{Location, PlanError, PlanErrorKind};
use levada_language::types::{SqlType, parse_type};

/// What a function is written in.
#[derive(PartialEq, Eq)]
enum Language {
    Sql,
    Wasm,
}

/// The words that a statement about a function has in front of its name.
#[derive(Clone, Copy)]
pub(in crate::parser) struct FunctionWords {
    /// SYSTEM.
    pub(in crate::parser) system: bool,
    /// AGGREGATE.
    aggregate: bool,
}

impl Script<'_> {
    /// Reads `[SYSTEM] [AGGREGATE] FUNCTION` if it comes next.
    pub(in crate::parser) fn function_word(
        &mut self,
        temporary: bool,
    ) -> Result<Option<FunctionWords>, PlanError> {
        let location = self.location();
        let words = |system: bool, aggregate: bool| FunctionWords { system, aggregate };
        if self.take("FUNCTION") {
            return Ok(Some(words(false, false)));
        }
        if self.take_all(&["AGGREGATE", "FUNCTION"]) {
            return Ok(Some(words(false, true)));
        }
        let aggregate = self.take_all(&["SYSTEM", "AGGREGATE", "FUNCTION"]);
        if !aggregate && !self.take_all(&["SYSTEM", "FUNCTION"]) {
            return Ok(None);
        }
        match temporary {
            true => Ok(Some(words(true, aggregate))),
            false => Err(PlanError::new(
                PlanErrorKind::Syntax,
                "a SYSTEM function that is not TEMPORARY cannot be created, altered or dropped",
            )
            .hint("write TEMPORARY SYSTEM FUNCTION, or FUNCTION for one that is in a database")
            .at(Some(location))),
        }
    }

    pub(super) fn create_function(
        &mut self,
        mode: CreateMode,
        words: FunctionWords,
    ) -> Result<Statement, PlanError> {
        let mode = self.if_not_exists(mode)?;
        Ok(Statement::Function(DefineFunction::Create {
            mode,
            system: words.system,
            function: Box::new(self.function_declaration(words)?),
        }))
    }

    pub(super) fn alter_function(
        &mut self,
        temporary: bool,
        words: FunctionWords,
    ) -> Result<Statement, PlanError> {
        let if_exists = self.take_all(&["IF", "EXISTS"]);
        Ok(Statement::Function(DefineFunction::Alter {
            temporary,
            system: words.system,
            if_exists,
            function: Box::new(self.function_declaration(words)?),
        }))
    }

    pub(super) fn drop_function(
        &mut self,
        temporary: bool,
        system: bool,
    ) -> Result<Statement, PlanError> {
        let if_exists = self.take_all(&["IF", "EXISTS"]);
        Ok(Statement::Function(DefineFunction::Drop {
            temporary,
            system,
            if_exists,
            name: self.name()?,
        }))
    }

    fn function_declaration(
        &mut self,
        words: FunctionWords,
    ) -> Result<FunctionDeclaration, PlanError> {
        let name = self.name()?;
        let location = self.location();
        if self.take("AS") {
            return Err(
                PlanError::unsupported("a function of a class", Some(location))
                    .hint("write it in SQL: CREATE FUNCTION twice(x INT) RETURNS INT RETURN x * 2"),
            );
        }
        let parameters = self.parameters()?;
        self.expect("RETURNS")?;
        let returns = self.function_type("the type of the result")?;
        let location = self.location();
        if self.function_language()? == Language::Wasm {
            let body = self.module_body(&name, words.aggregate)?;
            return Ok(FunctionDeclaration {
                name,
                parameters,
                returns,
                body: FunctionBody::Module(body),
            });
        }
        if words.aggregate {
            return Err(PlanError::unsupported("an aggregate in SQL", Some(location)).hint(
                "an AGGREGATE FUNCTION is one of a WebAssembly module: LANGUAGE WASM USING MODULE 'file.wasm'",
            ));
        }
        self.expect("RETURN")?;
        let location = self.location();
        let is_query = ["SELECT", "WITH", "VALUES", "TABLE"]
            .iter()
            .any(|word| self.peek(word));
        if is_query {
            return Err(PlanError::unsupported("a function of rows", Some(location))
                .hint("RETURN takes an expression over the parameters; a query is a view"));
        }
        Ok(FunctionDeclaration {
            name,
            parameters,
            returns,
            body: FunctionBody::Sql(self.expression()?),
        })
    }

    /// `USING MODULE 'file' [SYMBOL 'export']`; without a symbol it is the function's name.
    fn module_body(&mut self, name: &ObjectName, aggregate: bool) -> Result<ModuleBody, PlanError> {
        self.expect("USING")?;
        if self.peek("JAR") {
            return Err(
                PlanError::unsupported("a function of a JAR", Some(self.location()))
                    .hint("write LANGUAGE WASM USING MODULE 'file.wasm'"),
            );
        }
        self.expect("MODULE")?;
        let (path, location) = self.string("the module's file in quotes")?;
        let symbol = match self.take("SYMBOL") {
            true => self.string("the name of an export in quotes")?.0,
            false => {
                let last = name.0.last().and_then(|part| part.as_ident());
                last.map(|ident| ident.value.clone()).unwrap_or_default()
            }
        };
        Ok(ModuleBody {
            path,
            symbol,
            aggregate,
            location,
        })
    }

    /// `LANGUAGE SQL` or `LANGUAGE WASM`; SQL if nothing is said.
    fn function_language(&mut self) -> Result<Language, PlanError> {
        if !self.take("LANGUAGE") || self.take("SQL") {
            return Ok(Language::Sql);
        }
        if self.take("WASM") {
            return Ok(Language::Wasm);
        }
        let at = Location::of(self.parser.peek_token_ref().span);
        let language = self.ident()?;
        Err(PlanError::unsupported(
            format!(
                "a function in the language {}",
                language.value.to_uppercase()
            ),
            at,
        )
        .hint(
            "functions are written in SQL (RETURNS type RETURN expression) or are WebAssembly modules (RETURNS type \
             LANGUAGE WASM USING MODULE 'file.wasm')",
        ))
    }

    fn parameters(&mut self) -> Result<Vec<Parameter>, PlanError> {
        self.expect_token(&Token::LParen)?;
        let mut parameters: Vec<Parameter> = Vec::new();
        while !self.parser.consume_token(&Token::RParen) {
            if !parameters.is_empty() {
                self.expect_token(&Token::Comma)?;
            }
            let name = self.ident()?;
            let same = |one: &Parameter| one.name.value.eq_ignore_ascii_case(&name.value);
            if parameters.iter().any(same) {
                return Err(PlanError::new(
                    PlanErrorKind::DuplicateName,
                    format!("two parameters are called {}", name.value),
                )
                .at(Location::of(name.span)));
            }
            let sql_type = self.function_type("the type of the parameter")?;
            parameters.push(Parameter { name, sql_type });
        }
        Ok(parameters)
    }

    fn function_type(&mut self, what: &str) -> Result<SqlType, PlanError> {
        match self.parser.peek_token_ref().token {
            Token::Word(_) => Ok(parse_type(&mut self.parser)?.sql_type),
            _ => Err(self.expected(what)),
        }
    }
}
