//! MATCH_RECOGNIZE: what sqlparser's grammar of it lacks.
//!
//! sqlparser reads DEFINE last, as a list of expressions with names. The clauses that it does not know go there
//! before it reads, token by token, each as an expression with a name of its own; every token keeps its position:
//!
//! - `WITHIN INTERVAL …`, as [`WITHIN`];
//! - `SUBSET u = (a, b)`, as [`SUBSET`];
//!
//! and `SKIP TO x`, which is short for `SKIP TO LAST x`, gets its word. A reluctant quantifier needs nothing:
//! `A+?` is read as an optional `A+`, which nobody writes without parentheses.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use crate::error::{Location, PlanError};

/// The name under which the duration of WITHIN stands in DEFINE.
pub const WITHIN: &str = "__levada_within";
/// The name under which a set of variables stands in DEFINE.
pub const SUBSET: &str = "__levada_subset";
/// The name of a condition that is there so that DEFINE has one.
pub const NOTHING: &str = "__levada_nothing";

/// The function that `FINAL f(…)` becomes.
pub const FINAL: &str = "__levada_final";
/// The function that `RUNNING f(…)` becomes.
pub const RUNNING: &str = "__levada_running";

/// Brings the clauses of each MATCH_RECOGNIZE into the order in which they are read.
///
/// # Errors
/// MATCH_RECOGNIZE behind a subquery, or with rows that a match leaves out.
pub fn arrange(tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>, PlanError> {
    let is_one = |token: &TokenWithSpan| is_word(token, "MATCH_RECOGNIZE");
    if !tokens.iter().any(is_one) {
        return Ok(tokens);
    }
    let mut arranged: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len() + 8);
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        let begins = is_one(&token);
        if begins {
            check_input(&arranged, &token)?;
        }
        arranged.push(token);
        if !begins {
            continue;
        }
        // The clauses, with their parenthesis.
        let mut clauses: Vec<TokenWithSpan> = Vec::new();
        let mut depth = 0usize;
        for token in rest.by_ref() {
            match &token.token {
                Token::LParen => depth += 1,
                Token::RParen => depth = depth.saturating_sub(1),
                Token::SemiColon => depth = 0,
                _ => {}
            }
            let whitespace = matches!(token.token, Token::Whitespace(_));
            clauses.push(token);
            if depth == 0 && !whitespace {
                break;
            }
        }
        check_clauses(&clauses)?;
        arranged.extend(arrange_clauses(clauses));
    }
    Ok(arranged)
}

/// sqlparser takes MATCH_RECOGNIZE behind the name of a table alone.
fn check_input(before: &[TokenWithSpan], token: &TokenWithSpan) -> Result<(), PlanError> {
    let is_space = |token: &&TokenWithSpan| matches!(token.token, Token::Whitespace(_));
    let last = before.iter().rev().find(|token| !is_space(token));
    match last {
        Some(last) if last.token == Token::RParen => Err(PlanError::unsupported(
            "MATCH_RECOGNIZE behind a subquery or table function",
            Location::of(token.span),
        )
        .hint("give the subquery a name: WITH rows AS (SELECT …) SELECT … FROM rows MATCH_RECOGNIZE (…)")),
        _ => Ok(()),
    }
}

/// Rows that a match leaves out, which sqlparser takes for a quantifier.
fn check_clauses(clauses: &[TokenWithSpan]) -> Result<(), PlanError> {
    let is_space = |token: &&TokenWithSpan| matches!(token.token, Token::Whitespace(_));
    let mut tokens = clauses.iter().filter(|token| !is_space(token)).peekable();
    while let Some(token) = tokens.next() {
        let next = tokens.peek().map(|next| &next.token);
        if token.token == Token::LBrace && next == Some(&Token::Minus) {
            let at = Location::of(token.span);
            return Err(PlanError::unsupported("{- … -} in a pattern", at)
                .hint("with ALL ROWS PER MATCH, leave rows out by WHERE and CLASSIFIER()"));
        }
    }
    Ok(())
}

fn arrange_clauses(clauses: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(clauses.len());
    // What goes to the end, and where the clause of a token does.
    let mut moved: Vec<TokenWithSpan> = Vec::new();
    let mut into: Option<&str> = None;
    let mut depth = 0usize;
    let mut pattern = false;
    let mut defines = false;
    let mut last_words: [String; 2] = Default::default();
    let Some(end) = clauses.last().cloned() else {
        return clauses;
    };
    let count = clauses.len();
    for (at, token) in clauses.into_iter().enumerate() {
        let last = at + 1 == count;
        match &token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 1 && into != Some(WITHIN) && is_word(&token, "PATTERN") {
            pattern = true;
        } else if depth == 1 && pattern && !defines && is_word(&token, "WITHIN") {
            into = Some(WITHIN);
            named(&mut moved, WITHIN, &token);
            continue;
        } else if depth == 1 && pattern && !defines && is_word(&token, "SUBSET") {
            into = Some(SUBSET);
            named(&mut moved, SUBSET, &token);
            continue;
        } else if depth == 1 && pattern && is_word(&token, "DEFINE") {
            (into, defines) = (None, true);
        } else if depth == 1 && into == Some(SUBSET) && token.token == Token::Comma {
            named(&mut moved, SUBSET, &token);
            continue;
        }
        let is_name = matches!(token.token, Token::Word(_));
        let skips = last_words == ["SKIP", "TO"] && depth == 1 && is_name;
        if skips
            && !["NEXT", "FIRST", "LAST"]
                .iter()
                .any(|word| is_word(&token, word))
        {
            kept.push(word("LAST", Keyword::LAST, &token));
            kept.push(space(&token));
        }
        if let Token::Word(word) = &token.token {
            let [_, before] = std::mem::take(&mut last_words);
            last_words = [before, word.value.to_ascii_uppercase()];
        }
        if last {
            if !moved.is_empty() || !defines {
                append(&mut kept, std::mem::take(&mut moved), defines, &end);
            }
            kept.push(token);
        } else if into.is_some() {
            moved.push(token);
        } else {
            kept.push(token);
        }
    }
    kept
}

/// Begins an expression with a name.
fn named(moved: &mut Vec<TokenWithSpan>, name: &str, at: &TokenWithSpan) {
    if !moved.is_empty() {
        moved.push(at_place(Token::Comma, at));
    }
    moved.push(word(name, Keyword::NoKeyword, at));
    moved.push(space(at));
    moved.push(word("AS", Keyword::AS, at));
    moved.push(space(at));
}

/// Puts expressions behind those of DEFINE, or makes one.
fn append(
    kept: &mut Vec<TokenWithSpan>,
    moved: Vec<TokenWithSpan>,
    defines: bool,
    end: &TokenWithSpan,
) {
    match defines {
        true => kept.push(at_place(Token::Comma, end)),
        false => {
            kept.push(space(end));
            kept.push(word("DEFINE", Keyword::DEFINE, end));
            kept.push(space(end));
        }
    }
    if moved.is_empty() {
        let mut nothing = Vec::new();
        named(&mut nothing, NOTHING, end);
        kept.extend(nothing);
        kept.push(word("TRUE", Keyword::TRUE, end));
    }
    kept.extend(moved);
}

fn is_word(token: &TokenWithSpan, expected: &str) -> bool {
    matches!(
        &token.token,
        Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(expected)
    )
}

fn word(value: &str, keyword: Keyword, at: &TokenWithSpan) -> TokenWithSpan {
    let word = Word {
        value: value.to_string(),
        quote_style: None,
        keyword,
    };
    at_place(Token::Word(word), at)
}

fn space(at: &TokenWithSpan) -> TokenWithSpan {
    at_place(
        Token::Whitespace(sqlparser::tokenizer::Whitespace::Space),
        at,
    )
}

fn at_place(token: Token, at: &TokenWithSpan) -> TokenWithSpan {
    TokenWithSpan {
        token,
        span: at.span,
    }
}
