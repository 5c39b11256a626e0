//! Colours for SQL.

use super::completion::KEYWORDS;
use super::scan::{Kind, scan};

const KEYWORD: &str = "\x1b[1;34m";
const TEXT: &str = "\x1b[32m";
const NUMBER: &str = "\x1b[36m";
const QUOTED: &str = "\x1b[33m";
const COMMENT: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// The text with colours.
pub fn highlight(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() * 2);
    for piece in scan(sql) {
        let text = sql.get(piece.range).unwrap_or_default();
        let colour = match piece.kind {
            Kind::Word if is_keyword(text) => KEYWORD,
            Kind::Text => TEXT,
            Kind::Number => NUMBER,
            Kind::Quoted => QUOTED,
            Kind::Comment => COMMENT,
            _ => {
                out.push_str(text);
                continue;
            }
        };
        out.push_str(colour);
        out.push_str(text);
        out.push_str(PLAIN);
    }
    out
}

fn is_keyword(word: &str) -> bool {
    KEYWORDS
        .iter()
        .any(|keyword| keyword.eq_ignore_ascii_case(word))
}
