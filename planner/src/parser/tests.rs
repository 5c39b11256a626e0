use super::*;

mod errors;
mod garbage;
mod queries;
mod statements;

fn parse_ok(sql: &str) -> Vec<ParsedStatement> {
    parse(sql).unwrap_or_else(|error| panic!("{}", error.render(sql)))
}

fn one(sql: &str) -> Statement {
    parse_one(sql)
        .unwrap_or_else(|error| panic!("{}", error.render(sql)))
        .statement
}
