//! Functions of WebAssembly modules: what jobs carry of them, and which function a name means.
#![allow(clippy::unwrap_used)]

use levada_engine::graph::{JobGraph, OperatorSpec};
use levada_wasm::{Limits, Module};

use crate::fixture::Session;
use crate::lowering::settings::function_limits;

const TABLES: &str = "
CREATE TABLE t (a BIGINT, b BIGINT, ts TIMESTAMP(3)) WITH ('connector' = 'stream');
CREATE TABLE u (a BIGINT, b BIGINT) WITH ('connector' = 'stream');
";

/// A module whose functions f and g give their first column, with a number that makes it another one.
fn module(number: u32) -> String {
    format!(
        "(module (memory (export \"memory\") 1)
         (func (export \"levada_alloc\") (param i32) (result i32) (i32.const {}))
         (func $f (export \"f\") (export \"g\") (param i32) (result i32) (i32.add (local.get 0) (i32.const 8))))",
        16 * number
    )
}

fn create(name: &str, symbol: &str, number: u32) -> String {
    format!(
        "CREATE OR REPLACE FUNCTION {name}(n BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{}' SYMBOL '{symbol}';",
        module(number)
    )
}

fn session() -> Session {
    let (f, g, other) = (
        create("f", "f", 1),
        create("g", "g", 1),
        create("other", "f", 2),
    );
    Session::with(&format!("{TABLES}{f}{g}{other}"))
}

fn job(session: &Session, sql: &str) -> JobGraph {
    let planned = session.job(sql).map_err(|error| error.render(sql));
    planned.unwrap().graph
}

/// The modules that a job carries, by their hashes.
fn carried(graph: &JobGraph) -> Vec<String> {
    let modules = graph.settings.modules.iter();
    let hashes = modules.map(|bytes| Module::compile(&bytes.0).unwrap().hash().to_string());
    hashes.collect()
}

fn hash(number: u32) -> String {
    let bytes = wat::parse_str(module(number)).unwrap();
    Module::compile(&bytes).unwrap().hash().to_string()
}

/// The encoded projections of a job, as text where they are text.
fn encoded(graph: &JobGraph) -> String {
    let operators = graph.vertices.iter().flat_map(|vertex| &vertex.operators);
    let mut all = String::new();
    for operator in operators {
        if let OperatorSpec::Calc(calc) = &operator.spec {
            for expression in calc.projection.iter().flatten().chain(&calc.filter) {
                all.push_str(&String::from_utf8_lossy(&expression.encoded.0));
            }
        }
    }
    all
}

#[test]
fn a_job_carries_the_modules_that_it_calls_each_once() {
    let session = session();
    let one = job(&session, "SELECT f(a), g(f(b)) FROM t WHERE f(a + 1) > 2");
    assert_eq!(carried(&one), [hash(1)]);
    assert_eq!(carried(&job(&session, "SELECT a FROM t")), [] as [&str; 0]);
    let mut both = vec![hash(1), hash(2)];
    both.sort();
    let joined = "SELECT t.a FROM t JOIN u ON t.a = u.a AND f(t.b) < other(u.b)";
    assert_eq!(carried(&job(&session, joined)), both);
}

#[test]
fn computed_columns_and_watermarks_bring_their_modules() {
    let mut session = session();
    session
        .run("CREATE TABLE c (a BIGINT, d AS f(a), ts AS TO_TIMESTAMP_LTZ(other(a), 3), WATERMARK FOR ts AS ts) WITH ('connector' = 'stream');")
        .unwrap();
    session.run(&create("f", "f", 3)).unwrap();
    let graph = job(&session, "SELECT d, ts FROM c");
    let mut both = vec![hash(1), hash(2)];
    both.sort();
    assert_eq!(carried(&graph), both, "what f was when the table was made");
    assert_eq!(carried(&job(&session, "SELECT f(a) FROM t")), [hash(3)]);
}

#[test]
fn limits_travel_with_the_function() {
    let mut session = session();
    let sql = "SELECT f(a) FROM t";
    let plain = encoded(&job(&session, sql));
    assert!(plain.contains("\"timeout_ms\":10000"), "{plain}");
    session
        .run("SET 'table.exec.udf.timeout' = '3 s'; SET 'table.exec.udf.memory' = '1 mb';")
        .unwrap();
    let set = encoded(&job(&session, sql));
    assert!(
        set.contains("\"memory_bytes\":1048576,\"timeout_ms\":3000"),
        "{set}"
    );
    let limits = function_limits(&session.configuration).unwrap();
    assert_eq!(
        limits,
        Limits {
            memory_bytes: 1 << 20,
            timeout_ms: 3_000
        }
    );
}

#[test]
fn a_module_that_begins_with_more_memory_than_it_may_have_is_refused() {
    let mut session = session();
    session
        .run("SET 'table.exec.udf.memory' = '1 kb';")
        .unwrap();
    let sql = create("f", "f", 1);
    let error = session.run(&sql).unwrap_err().render(&sql);
    assert!(error.contains("function f cannot be created"), "{error}");
    assert!(error.contains("table.exec.udf.memory"), "{error}");
}

#[test]
fn operators_keep_their_ids_when_a_module_is_made_better() {
    let mut session = session();
    let sql = "SELECT f(a) AS k, COUNT(*) AS n FROM t GROUP BY f(a)";
    let ids = |graph: &JobGraph| {
        let operators = graph.vertices.iter().flat_map(|vertex| &vertex.operators);
        operators.map(|one| one.uid.clone()).collect::<Vec<_>>()
    };
    let before = job(&session, sql);
    session.run(&create("f", "f", 4)).unwrap();
    let after = job(&session, sql);
    assert_ne!(carried(&before), carried(&after));
    assert_eq!(ids(&before), ids(&after));
}

#[test]
fn a_function_is_shown_as_it_was_created() {
    let mut session = Session::new();
    let path = module(1).replace('\'', "''");
    let sql = format!(
        "CREATE TEMPORARY FUNCTION f(n BIGINT)\nRETURNS BIGINT\nLANGUAGE WASM\nUSING MODULE '{path}' SYMBOL 'g'"
    );
    session.run(&sql).unwrap();
    let name = sqlparser::ast::ObjectName::from(vec![sqlparser::ast::Ident::new("f")]);
    let function = session.planner.lookup().function(&name, false).unwrap();
    assert_eq!(function.unwrap().create_sql(), sql);
}
