//! What to do about a syntax error, by the words around it: what somebody who is new here, or comes from
//! another database, most likely meant.

use sqlparser::tokenizer::Token;

use super::Script;
use levada_language::dialect::clause_words;
use levada_language::error::{PlanError, PlanErrorKind, nearest};

/// Words that begin a statement, or end a statement set.
const STARTS: &[&str] = &[
    "SELECT", "INSERT", "CREATE", "DROP", "ALTER", "SHOW", "DESCRIBE", "EXPLAIN", "USE", "EXECUTE",
    "STOP", "END", "SET", "RESET",
];

/// Words that begin a clause.
const CLAUSES: &[&str] = &[
    "FROM", "WHERE", "GROUP", "HAVING", "QUALIFY", "ORDER", "LIMIT", "OFFSET", "JOIN", "UNION",
    "WITH",
];

/// Constructs of other databases by their word, and what stands for them here.
const FOREIGN: &[(&str, &str)] = &[
    (
        "ANALYZE",
        "EXPLAIN shows plans and runs nothing: leave ANALYZE out",
    ),
    (
        "CHANGES",
        "leave EMIT CHANGES out: a query of a stream gives its changes as they come",
    ),
    ("RETURNING", "an INSERT gives no rows: leave RETURNING out"),
    (
        "CONFLICT",
        "leave ON CONFLICT out: in a table with a PRIMARY KEY a row replaces the one of its key",
    ),
    (
        "DUPLICATE",
        "leave ON DUPLICATE KEY out: in a table with a PRIMARY KEY a row replaces the one of its key",
    ),
    (
        "TUMBLING",
        "write GROUP BY TUMBLE(ts, INTERVAL '10' SECOND)",
    ),
    ("HOPPING", "write GROUP BY HOP(ts, slide, size)"),
    (
        "UNSIGNED",
        "there are no unsigned types: take the next larger one, such as BIGINT for INT UNSIGNED",
    ),
    ("INDEX", "there are no indexes, and no hints for them"),
    (
        "INDEXES",
        "there are no indexes; SHOW CREATE TABLE and DESCRIBE show the primary key",
    ),
    (
        "FULL",
        "SHOW TABLES lists tables and views, SHOW VIEWS the views alone",
    ),
    (
        "ENGINE",
        "where a table is kept is said in WITH ('connector' = '…')",
    ),
];

const WRITTEN: &str = "tables are written by INSERT alone; in a table with a PRIMARY KEY a row replaces the one of its key";
const COMMITS: &str = "there are no transactions: a job commits with its checkpoints";

/// Statements of other databases that are not there, and what to do instead.
pub(super) const REFUSED: &[(&str, Option<&str>)] = &[
    ("UPDATE", Some(WRITTEN)),
    ("DELETE", Some(WRITTEN)),
    ("MERGE", Some(WRITTEN)),
    ("TRUNCATE", Some(WRITTEN)),
    ("REPLACE", Some(WRITTEN)),
    ("UPSERT", Some(WRITTEN)),
    (
        "COPY",
        Some("declare the file as a table with 'connector' = 'filesystem', and INSERT from it"),
    ),
    ("PRINT", Some("SELECT * FROM t shows the rows of a table")),
    ("LIST", Some("use SHOW TABLES, SHOW JOBS and the like")),
    ("COMMIT", Some(COMMITS)),
    ("ROLLBACK", Some(COMMITS)),
    ("START", Some(COMMITS)),
    ("ANALYZE", None),
    ("CALL", None),
    ("LOAD", None),
    ("UNLOAD", None),
    ("ADD", None),
    ("REMOVE", None),
    ("COMPILE", None),
    ("GRANT", None),
    ("REVOKE", None),
];

/// Units of intervals that are not called so here.
const UNITS: &[(&str, &str)] = &[
    ("SEC", "SECOND"),
    ("SECS", "SECOND"),
    ("MIN", "MINUTE"),
    ("MINS", "MINUTE"),
    ("HR", "HOUR"),
    ("HRS", "HOUR"),
    ("D", "DAY"),
];

/// The tokens around an error.
struct Around<'a> {
    before: Option<&'a Token>,
    found: &'a Token,
    after: Option<&'a Token>,
    interval: bool,
}

impl Script<'_> {
    /// The error with a hint, if it has none and the text around it suggests one.
    pub(super) fn advised(&self, error: PlanError) -> PlanError {
        if error.kind() != PlanErrorKind::Syntax || error.hint_text().is_some() {
            return error;
        }
        let index = error.location().and_then(|at| self.token_index(at));
        let index = index.unwrap_or_else(|| self.end_index());
        let before: Vec<&Token> = (0..index)
            .rev()
            .map(|at| &self.parser.token_at(at).token)
            .filter(|token| !matches!(token, Token::Whitespace(_)))
            .take(2)
            .collect();
        let after = (index + 1..index + 4).map(|at| &self.parser.token_at(at).token);
        let around = Around {
            before: before.first().copied(),
            found: &self.parser.token_at(index).token,
            after: after
                .into_iter()
                .find(|token| !matches!(token, Token::Whitespace(_))),
            interval: before
                .get(1)
                .is_some_and(|token| is_word(token, "INTERVAL")),
        };
        let error = match error.message().starts_with("No infix parser") {
            true => PlanError::new(
                PlanErrorKind::Syntax,
                format!("{} cannot stand here", around.found),
            )
            .at(error.location()),
            false => error,
        };
        match advice(error.message(), &around) {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    fn end_index(&self) -> usize {
        let tokens = (0..).take_while(|index| self.parser.token_at(*index).token != Token::EOF);
        tokens.count()
    }
}

fn advice(message: &str, around: &Around<'_>) -> Option<String> {
    let said = |text: &str| Some(text.to_string());
    if let Some(hint) = of_character(around.found) {
        return Some(hint);
    }
    if let Some(hint) = foreign(around) {
        return said(hint);
    }
    let comma_before = around.before == Some(&Token::Comma);
    let closes = *around.found == Token::RParen;
    let wants_operand = message.contains("an expression") || message.contains("a name");
    if wants_operand && comma_before && (closes || is_any(around.found, CLAUSES)) {
        return said("the comma in front of it is one too many");
    }
    if message.starts_with("expected the end of the statement") {
        return behind_the_end(message, around);
    }
    if message.contains("expected )") || message.contains(", or )") {
        return in_a_list(around);
    }
    if message.contains("date/time field") {
        return said(
            "the units are SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER, YEAR and parts such as DOW, DOY",
        );
    }
    if message.contains("option's key") {
        return said("keys and values are texts: WITH ('connector' = '…')");
    }
    if message.contains("the job's id") {
        return said("SHOW JOBS lists the ids");
    }
    if message.contains("SELECT, WITH or VALUES") && is_word(around.found, "SET") {
        return said("write INSERT INTO t (a, b) VALUES (1, 2)");
    }
    if message.contains("expected <") {
        return said(
            "say what is in it, such as ARRAY<INT>, MAP<STRING, INT> or ROW<a INT, b STRING>",
        );
    }
    if message.contains("a type") && *around.found == Token::Colon {
        return said("fields are written ROW<name TYPE, …>");
    }
    if message.contains("expected ,") && *around.found == Token::Gt {
        return said("a map has a type for keys and one for values: MAP<STRING, INT>");
    }
    None
}

/// The statement could have ended, and something follows.
fn behind_the_end(message: &str, around: &Around<'_>) -> Option<String> {
    let said = |text: &str| Some(text.to_string());
    if *around.found == Token::RParen {
        return said("there is no ( that it closes");
    }
    if *around.found == Token::Comma && matches!(around.before, Some(Token::Number(_, _))) {
        return said("write LIMIT 10 OFFSET 5 for ten rows behind the first five");
    }
    if is_any(around.found, STARTS) {
        return said("a semicolon is missing in front of it");
    }
    if is_any(around.found, CLAUSES) {
        return said(
            "clauses come in this order: SELECT, FROM, WHERE, GROUP BY, HAVING, QUALIFY, ORDER BY, LIMIT, OFFSET",
        );
    }
    if let Token::Word(word) = around.found
        && let Some(near) = nearest(&word.value, clause_words())
        && !near.eq_ignore_ascii_case(&word.value)
        && message.starts_with("expected")
    {
        return Some(format!("did you mean {near}?"));
    }
    match around.found {
        Token::Word(_) | Token::Number(_, _) | Token::SingleQuotedString(_) => {
            said("a comma or an operator may be missing in front of it")
        }
        _ => None,
    }
}

/// A list or a parenthesis should have ended, or gone on behind a comma.
fn in_a_list(around: &Around<'_>) -> Option<String> {
    let said = |text: &str| Some(text.to_string());
    match around.found {
        Token::EOF | Token::SemiColon => said("a ( in front of it is not closed"),
        Token::LBracket => said("arrays are written ARRAY<INT>"),
        Token::Word(word) if around.interval => {
            let unit = UNITS
                .iter()
                .find(|(name, _)| word.value.eq_ignore_ascii_case(name));
            match unit {
                Some((_, unit)) => Some(format!("did you mean {unit}?")),
                None => said("the units of intervals are SECOND, MINUTE, HOUR, DAY, MONTH, YEAR"),
            }
        }
        found if is_any(found, CLAUSES) => said("a ( in front of it is not closed"),
        Token::Word(_) | Token::Number(_, _) | Token::SingleQuotedString(_) => {
            said("a comma or ) may be missing in front of it")
        }
        _ => None,
    }
}

fn foreign(around: &Around<'_>) -> Option<&'static str> {
    let words = [Some(around.found), around.after, around.before];
    let behind_on = is_word(around.found, "ON");
    for (position, token) in words.into_iter().enumerate() {
        let Some(token) = token else { continue };
        // The word behind counts for ON alone: ON CONFLICT, ON DUPLICATE KEY.
        if position == 1 && !behind_on {
            continue;
        }
        let known = FOREIGN.iter().find(|(word, _)| is_word(token, word));
        if let Some((_, hint)) = known {
            return Some(hint);
        }
    }
    None
}

/// Characters that look like others, that cannot be seen, or that have no meaning.
fn of_character(token: &Token) -> Option<String> {
    let hint = match token {
        Token::Sharp => "comments begin with --",
        Token::Overlap => "write AND",
        Token::Char(c) => match c {
            '\u{2018}'..='\u{201F}' | '´' | '«' | '»' => {
                "texts stand in straight single quotes: 'text'"
            }
            '\u{2010}'..='\u{2015}' | '\u{2212}' => "write the minus sign of ASCII: -",
            '，' | '、' => "write the comma of ASCII: ,",
            '；' => "write the semicolon of ASCII: ;",
            '（' | '）' => "write the parentheses of ASCII: ( and )",
            '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' => {
                return Some(format!(
                    "an invisible character U+{:04X} stands here: delete it",
                    u32::from(*c)
                ));
            }
            c if !c.is_ascii() => {
                return Some(format!(
                    "the character U+{:04X} has no meaning outside of texts and quoted names",
                    u32::from(*c)
                ));
            }
            _ => return None,
        },
        _ => return None,
    };
    Some(hint.to_string())
}

fn is_word(token: &Token, wanted: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
}

fn is_any(token: &Token, words: &[&str]) -> bool {
    words.iter().any(|word| is_word(token, word))
}
