//! What the Tab key offers.

use levada_gateway::config::KEYS;

use super::scan::{Kind, Piece, is_word, scan};

/// Words of the language.
pub const KEYWORDS: &[&str] = &[
    "ADD",
    "AFTER",
    "ALL",
    "ALTER",
    "AND",
    "ARRAY",
    "AS",
    "ASC",
    "BEGIN",
    "BETWEEN",
    "BIGINT",
    "BOOLEAN",
    "BY",
    "BYTES",
    "CASE",
    "CAST",
    "CATALOG",
    "CATALOGS",
    "CHAR",
    "COMMENT",
    "COUNT",
    "CREATE",
    "CROSS",
    "CUMULATE",
    "DATABASE",
    "DATABASES",
    "DATE",
    "DECIMAL",
    "DESC",
    "DESCRIBE",
    "DESCRIPTOR",
    "DISTINCT",
    "DOUBLE",
    "DROP",
    "ELSE",
    "END",
    "ENFORCED",
    "EXCEPT",
    "EXCLUDING",
    "EXECUTE",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FILTER",
    "FIRST",
    "FLOAT",
    "FOR",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "HOP",
    "IF",
    "IN",
    "INCLUDING",
    "INNER",
    "INSERT",
    "INT",
    "INTERSECT",
    "INTERVAL",
    "INTO",
    "IS",
    "JOBS",
    "JOIN",
    "KEY",
    "LEFT",
    "LIKE",
    "LIMIT",
    "MAP",
    "MAX",
    "METADATA",
    "MIN",
    "MODIFY",
    "NOT",
    "NULL",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "OVERWRITE",
    "OVERWRITING",
    "PARTITION",
    "PARTITIONED",
    "PRIMARY",
    "RENAME",
    "REPLACE",
    "RESET",
    "RIGHT",
    "ROW",
    "SELECT",
    "SESSION",
    "SET",
    "SHOW",
    "SMALLINT",
    "STATEMENT",
    "STOP",
    "STRING",
    "SUM",
    "TABLE",
    "TABLES",
    "TEMPORARY",
    "THEN",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP_LTZ",
    "TINYINT",
    "TRUE",
    "TUMBLE",
    "UNION",
    "UNNEST",
    "USE",
    "VALUES",
    "VARCHAR",
    "VIEW",
    "VIEWS",
    "VIRTUAL",
    "WATERMARK",
    "WHEN",
    "WHERE",
    "WITH",
];

/// Options that tables of most connectors know.
const TABLE_OPTIONS: &[&str] = &[
    "connector",
    "format",
    "path",
    "topic",
    "properties.bootstrap.servers",
    "properties.group.id",
    "scan.startup.mode",
    "scan.bounded.mode",
    "scan.watermark.idle-timeout",
    "scan.parallelism",
    "sink.parallelism",
    "source.monitor-interval",
    "late-rows.table",
    "bad-rows.table",
    "json.ignore-parse-errors",
    "csv.ignore-parse-errors",
    "csv.field-delimiter",
    "key.format",
    "key.fields",
    "value.format",
    "rows-per-second",
    "number-of-rows",
    "print-identifier",
];

const FORMATS: &[&str] = &["json", "csv", "parquet", "raw"];

/// The words that can be completed at the moment.
#[derive(Debug, Default)]
pub struct Words {
    /// Tables and views with their columns.
    pub tables: Vec<(String, Vec<String>)>,
    connectors: Vec<String>,
}

impl Words {
    /// The words of the language and these connectors.
    pub fn new(connectors: Vec<String>) -> Self {
        Words {
            tables: Vec::new(),
            connectors,
        }
    }

    /// Where the word at the cursor begins, and what it may become.
    pub fn complete(&self, line: &str, cursor: usize) -> (usize, Vec<String>) {
        let before = line.get(..cursor).unwrap_or(line);
        let pieces = scan(before);
        match pieces.last() {
            Some(last) if is_open_text(before, last) => self.in_text(before, &pieces),
            Some(last) if last.kind == Kind::Comment => (cursor, Vec::new()),
            _ => self.in_statement(before, &pieces),
        }
    }

    /// Inside `'…`: configuration after SET, the value of a few options, else names of options.
    fn in_text(&self, before: &str, pieces: &[Piece]) -> (usize, Vec<String>) {
        let start = pieces.last().map_or(0, |piece| piece.range.start) + 1;
        let typed = before.get(start..).unwrap_or_default();
        let words: Vec<&str> = pieces
            .iter()
            .filter(|piece| !matches!(piece.kind, Kind::Space | Kind::Comment))
            .filter_map(|piece| before.get(piece.range.clone()))
            .collect();
        let statement = words.rsplit(|word| *word == ";").next().unwrap_or_default();
        let first = statement.first().copied().unwrap_or_default();
        let sets = ["SET", "RESET"]
            .iter()
            .any(|word| first.eq_ignore_ascii_case(word));
        let candidates: Vec<&str> = match statement {
            [.., name, "=", _] => self.values_of(name.trim_matches('\'')),
            _ if sets => KEYS.iter().map(|key| key.name).collect(),
            _ => TABLE_OPTIONS.to_vec(),
        };
        let matching = candidates
            .into_iter()
            .filter(|word| word.starts_with(typed));
        (start, matching.map(str::to_string).collect())
    }

    fn values_of(&self, option: &str) -> Vec<&str> {
        match option {
            "connector" => self.connectors.iter().map(String::as_str).collect(),
            "format" | "key.format" | "value.format" => FORMATS.to_vec(),
            "execution.runtime-mode" => vec!["streaming", "batch"],
            "sql-client.execution.result-mode" => vec!["table", "changelog", "tableau"],
            "state.backend.type" => vec!["memory", "disk", "rocksdb"],
            _ => Vec::new(),
        }
    }

    fn in_statement(&self, before: &str, pieces: &[Piece]) -> (usize, Vec<String>) {
        let start = before.rfind(|c| !is_word(c)).map_or(0, |at| {
            at + before
                .get(at..)
                .and_then(|s| s.chars().next())
                .map_or(1, char::len_utf8)
        });
        let typed = before.get(start..).unwrap_or_default();
        if let Some(table) = qualifier(before, pieces, typed) {
            return (start, self.columns_of(&table, typed));
        }
        if typed.is_empty() {
            return (start, Vec::new());
        }
        let lower = typed.to_lowercase();
        let mut found: Vec<String> = self
            .tables
            .iter()
            .flat_map(|(table, columns)| std::iter::once(table).chain(columns))
            .filter(|name| name.to_lowercase().starts_with(&lower))
            .cloned()
            .collect();
        found.sort();
        found.dedup();
        let small = typed.chars().all(|c| !c.is_uppercase());
        let keywords = KEYWORDS
            .iter()
            .filter(|word| word.to_lowercase().starts_with(&lower));
        found.extend(keywords.map(|word| match small {
            true => word.to_lowercase(),
            false => word.to_string(),
        }));
        (start, found)
    }

    fn columns_of(&self, table: &str, typed: &str) -> Vec<String> {
        let typed = typed.to_lowercase();
        self.tables
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(table))
            .flat_map(|(_, columns)| columns)
            .filter(|column| column.to_lowercase().starts_with(&typed))
            .cloned()
            .collect()
    }
}

/// Whether a piece is a text whose closing quote is still to come.
fn is_open_text(line: &str, piece: &Piece) -> bool {
    let text = line.get(piece.range.clone()).unwrap_or_default();
    piece.kind == Kind::Text && (text.len() == 1 || text.matches('\'').count() % 2 == 1)
}

/// `table` in front of `table.colu|`, or the table that `alias.colu|` stands for.
fn qualifier(before: &str, pieces: &[Piece], typed: &str) -> Option<String> {
    let text = |piece: &Piece| before.get(piece.range.clone()).unwrap_or_default();
    let typed_pieces = usize::from(!typed.is_empty());
    let mut reversed = pieces.iter().rev().skip(typed_pieces);
    let dot = reversed.next()?;
    let name = reversed.next()?;
    let is_name = matches!(name.kind, Kind::Word | Kind::Quoted);
    if text(dot) != "." || !is_name {
        return None;
    }
    Some(text(name).trim_matches(['`', '"']).to_string())
}
