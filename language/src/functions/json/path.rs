//! SQL/JSON paths: `[lax | strict] $`, then `.name`, `."name"`, `['name']`, `[index]`, `.*`
//! and `[*]`.
//!
//! In lax mode a step into an array goes into its elements, an index into something else takes
//! it as an array of one, and a missing member is nothing. In strict mode it is an error.

use std::iter::Peekable;
use std::str::Chars;

use datafusion::common::Result;
use serde_json::Value;

use crate::functions::scalar::evaluation;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Index(usize),
    AnyMember,
    AnyElement,
}

/// A parsed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    strict: bool,
    steps: Vec<Step>,
}

/// What a path leads to.
pub(super) enum Found<'a> {
    Nothing,
    Values(Vec<&'a Value>),
}

impl Path {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let trimmed = text.trim();
        let (strict, rest) = match trimmed.split_once(char::is_whitespace) {
            Some((mode, rest)) if mode.eq_ignore_ascii_case("strict") => (true, rest.trim_start()),
            Some((mode, rest)) if mode.eq_ignore_ascii_case("lax") => (false, rest.trim_start()),
            _ => (false, trimmed),
        };
        let error = || evaluation(format!("'{text}' is not a JSON path, such as '$.a[0].b'"));
        let mut characters = rest.strip_prefix('$').ok_or_else(error)?.chars().peekable();
        let mut steps = Vec::new();
        while let Some(c) = characters.next() {
            let step = match c {
                '.' => member(&mut characters),
                '[' => subscript(&mut characters),
                c if c.is_whitespace() => continue,
                _ => None,
            };
            steps.push(step.ok_or_else(error)?);
        }
        Ok(Self { strict, steps })
    }

    pub(super) fn is_strict(&self) -> bool {
        self.strict
    }

    pub(super) fn follow<'a>(&self, document: &'a Value) -> Found<'a> {
        let mut current = vec![document];
        for step in &self.steps {
            let mut next = Vec::new();
            for value in current {
                if !self.step(step, value, &mut next) && self.strict {
                    return Found::Nothing;
                }
            }
            current = next;
        }
        if current.is_empty() {
            Found::Nothing
        } else {
            Found::Values(current)
        }
    }

    /// Takes a step; false if it leads nowhere.
    fn step<'a>(&self, step: &Step, value: &'a Value, found: &mut Vec<&'a Value>) -> bool {
        let before = found.len();
        match (step, value) {
            (Step::Member(name), Value::Object(members)) => found.extend(members.get(name)),
            (Step::AnyMember, Value::Object(members)) => found.extend(members.values()),
            (Step::Member(_) | Step::AnyMember, Value::Array(elements)) if !self.strict => {
                for element in elements.iter().filter(|element| element.is_object()) {
                    self.step(step, element, found);
                }
            }
            (Step::Index(index), Value::Array(elements)) => found.extend(elements.get(*index)),
            (Step::AnyElement, Value::Array(elements)) => found.extend(elements),
            (Step::Index(0) | Step::AnyElement, _) if !self.strict => found.push(value),
            _ => {}
        }
        found.len() > before
    }
}

fn member(characters: &mut Peekable<Chars<'_>>) -> Option<Step> {
    match characters.peek()? {
        '*' => {
            characters.next();
            Some(Step::AnyMember)
        }
        '"' => {
            characters.next();
            quoted(characters, '"').map(Step::Member)
        }
        _ => {
            let mut name = String::new();
            while let Some(c) =
                characters.next_if(|c| !matches!(c, '.' | '[') && !c.is_whitespace())
            {
                name.push(c);
            }
            (!name.is_empty()).then_some(Step::Member(name))
        }
    }
}

fn subscript(characters: &mut Peekable<Chars<'_>>) -> Option<Step> {
    let step = match characters.peek()? {
        '*' => {
            characters.next();
            Step::AnyElement
        }
        quote @ ('\'' | '"') => {
            let quote = *quote;
            characters.next();
            Step::Member(quoted(characters, quote)?)
        }
        _ => {
            let mut digits = String::new();
            while let Some(digit) = characters.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            Step::Index(digits.parse().ok()?)
        }
    };
    (characters.next()? == ']').then_some(step)
}

fn quoted(characters: &mut Peekable<Chars<'_>>, quote: char) -> Option<String> {
    let mut name = String::new();
    loop {
        match characters.next()? {
            '\\' => name.push(characters.next()?),
            c if c == quote => return Some(name),
            c => name.push(c),
        }
    }
}
