use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::Statement as DfStatement;
use sqlparser::ast::Statement as AstStatement;

use crate::parser::{Statement, parse_one};
use levada_language::error::PlanError;
use levada_language::functions::LevadaFunctions;
use levada_language::types::SqlType;

mod aggregated;
mod cases;
mod columns;
mod documented;
mod nexmark;
mod random;

/// 2024-02-29 23:59:58.123 UTC.
const NOW: i64 = 1_709_251_198_123;

fn session(zone: Option<&str>) -> SessionContext {
    let mut config = SessionConfig::new();
    config.options_mut().execution.time_zone = zone.map(str::to_string);
    let builder = SessionStateBuilder::new()
        .with_default_features()
        .with_config(config);
    let state = LevadaFunctions::install(Arc::new(|| NOW), builder).build();
    let context = SessionContext::new_with_state(state);
    context.register_batch("t", table()).unwrap();
    context
}

/// Rows for functions of columns: texts, numbers and times, the last row all NULL.
fn table() -> RecordBatch {
    let times = [Some(NOW), Some(NOW + 1), Some(NOW + 2_000), Some(-1), None];
    let texts = [
        Some("a/b/c"),
        Some("x=1&yy=22"),
        Some(""),
        Some("ünï/cödé"),
        None,
    ];
    let numbers = [Some(0), Some(1), Some(2), Some(-1), None];
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "ts",
            Arc::new(TimestampMillisecondArray::from(times.to_vec())),
        ),
        (
            "ltz",
            Arc::new(TimestampMillisecondArray::from(times.to_vec()).with_timezone("UTC")),
        ),
        ("s", Arc::new(StringArray::from(texts.to_vec()))),
        ("n", Arc::new(Int64Array::from(numbers.to_vec()))),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
        .collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

async fn run(sql: &str, zone: Option<&str>) -> Result<(Vec<String>, DataType), PlanError> {
    run_in(&session(zone), sql).await
}

async fn run_in(context: &SessionContext, sql: &str) -> Result<(Vec<String>, DataType), PlanError> {
    let Statement::Query(query) = parse_one(sql)?.statement else {
        panic!("not a query: {sql}");
    };
    let statement = DfStatement::Statement(Box::new(AstStatement::Query(query.ast)));
    let plan = context.state().statement_to_plan(statement).await?;
    let data_type = context
        .state()
        .optimize(&plan)?
        .schema()
        .field(0)
        .data_type()
        .clone();
    let batches = context.execute_logical_plan(plan).await?.collect().await?;
    let mut values = Vec::new();
    let options = FormatOptions::default().with_null("NULL");
    for batch in &batches {
        assert_eq!(
            batch.column(0).data_type(),
            &data_type,
            "the promised type of {sql}"
        );
        let formatter = ArrayFormatter::try_new(batch.column(0), &options).unwrap();
        values.extend((0..batch.num_rows()).map(|row| formatter.value(row).to_string()));
    }
    Ok((values, data_type))
}

fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// `expression` over the rows of the table.
#[track_caller]
fn check_rows(expression: &str, expected: [&str; 5]) {
    match block(run(&format!("SELECT {expression} AS x FROM t"), None)) {
        Ok((values, _)) => assert_eq!(values, expected, "rows of {expression}"),
        Err(error) => panic!("{expression}: {error}"),
    }
}

/// `expression` fails, and the error has these words.
#[track_caller]
fn refuse(expression: &str, words: &[&str]) {
    let sql = format!("SELECT {expression} AS x");
    match block(run(&sql, None)) {
        Ok((values, _)) => panic!("{expression} is {values:?}"),
        Err(error) => {
            let rendered = error.render(&sql);
            for word in words {
                assert!(rendered.contains(word), "no {word:?} in:\n{rendered}");
            }
        }
    }
}

#[test]
fn the_registry_finds_ours_before_datafusions() {
    use datafusion::logical_expr::registry::FunctionRegistry;
    let registry = LevadaFunctions::new(Arc::new(|| NOW));
    assert_eq!(registry.udf("date_format").unwrap().name(), "date_format");
    assert_eq!(registry.udf("current_timestamp").unwrap().name(), "now");
    assert_eq!(
        registry.udf("char_length").unwrap().name(),
        "character_length"
    );
    assert!(registry.udaf("sum").is_ok() && registry.udwf("row_number").is_ok());
    let error = PlanError::from(registry.udf("splt_index").unwrap_err());
    assert_eq!(error.hint_text(), Some("did you mean split_index?"));
}

#[test]
fn expressions_survive_the_way_to_a_worker() {
    use datafusion::logical_expr::registry::FunctionRegistry;
    use datafusion::logical_expr::{Expr, col, lit};
    use datafusion_proto::bytes::Serializeable;
    let registry = LevadaFunctions::new(Arc::new(|| NOW));
    let context = registry.task_context(None);
    let function = |name: &str, args: Vec<Expr>| registry.udf(name).unwrap().call(args);
    for expr in [
        function("split_index", vec![col("s"), lit("/"), lit(1_i64)]),
        function("proctime", vec![]),
        function("checked_add", vec![col("n"), lit(1_i64)]),
        function("date_format", vec![col("ts"), lit("yyyy")]),
    ] {
        let bytes = expr.to_bytes().unwrap();
        assert_eq!(Expr::from_bytes_with_ctx(&bytes, &context).unwrap(), expr);
    }
}

#[test]
fn wrong_arguments_are_named() {
    refuse(
        "SPLIT_INDEX('a', 'b')",
        &["LV-1008", "SPLIT_INDEX takes 3 arguments, and 2 are given"],
    );
    refuse(
        "INSTR(1, 'b')",
        &["LV-1008 (type mismatch): argument 1 of INSTR must be STRING, not BIGINT"],
    );
    refuse(
        "DATE_FORMAT(true, 'yyyy')",
        &["argument 1 of DATE_FORMAT must be TIMESTAMP, not BOOLEAN"],
    );
    refuse(
        "SPLT_INDEX('a', 'b', 1)",
        &["LV-1004", "splt_index", "did you mean split_index?"],
    );
    refuse(
        "nothing",
        &[
            "LV-1003",
            "column nothing does not exist",
            "at line 1, column 8",
        ],
    );
}

#[test]
fn windows_have_the_type_of_their_time() {
    let sql = "SELECT window_start FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(n), INTERVAL '1' SECOND))";
    let error = block(run(sql, None)).unwrap_err();
    let rendered = error.render(sql);
    assert!(
        rendered.contains("a window needs a TIMESTAMP column, and n is BIGINT"),
        "{rendered}"
    );
    assert!(rendered.contains("line 1, column 32"), "{rendered}");
}

#[test]
fn a_marker_in_a_plan_is_read_back() {
    use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
    use levada_language::functions::window::{WindowCall, WindowKind};
    let read = |sql: &str| {
        let Statement::Query(query) = parse_one(sql).unwrap().statement else {
            panic!()
        };
        let statement = DfStatement::Statement(Box::new(AstStatement::Query(query.ast)));
        let plan =
            block(async { session(None).state().statement_to_plan(statement).await }).unwrap();
        let mut calls: Vec<WindowCall> = Vec::new();
        let mut failure = None;
        plan.apply_with_subqueries(|node| {
            node.apply_expressions(|expr| {
                expr.apply(|expr| {
                    match WindowCall::from_expr(expr) {
                        Ok(call) => calls.extend(call),
                        Err(error) => failure = Some(error),
                    }
                    Ok(TreeNodeRecursion::Continue)
                })
            })
        })
        .unwrap();
        match failure {
            Some(error) => Err(error),
            None => Ok((calls, plan)),
        }
    };
    let (calls, plan) = read(
        "SELECT * FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '1' HOUR)) w",
    )
    .unwrap();
    assert_eq!(calls.len(), 3);
    assert!(calls.iter().all(|call| call == &calls[0]));
    assert_eq!(
        (calls[0].kind, calls[0].size_ms, calls[0].slide_ms),
        (WindowKind::Hop, 3_600_000, Some(60_000))
    );
    assert_eq!(calls[0].location.unwrap().column, 21);
    let names: Vec<&String> = plan
        .schema()
        .fields()
        .iter()
        .map(|field| field.name())
        .collect();
    assert_eq!(
        names,
        [
            "ts",
            "ltz",
            "s",
            "n",
            "window_start",
            "window_end",
            "window_time"
        ]
    );
    assert_eq!(
        plan.schema().field(4).data_type(),
        &DataType::Timestamp(TimeUnit::Millisecond, None)
    );

    let (calls, plan) = read(
        "SELECT TUMBLE_START(ltz, INTERVAL '1' DAY) AS ws, COUNT(*) AS c FROM t \
         GROUP BY s, TUMBLE(ltz, INTERVAL '1' DAY) HAVING COUNT(*) > 1 ORDER BY TUMBLE_END(ltz, INTERVAL '1' DAY)",
    )
    .unwrap();
    assert!(
        calls.len() >= 3 && calls.iter().all(|call| call.size_ms == 86_400_000),
        "{calls:?}"
    );
    assert_eq!(
        SqlType::from_arrow(plan.schema().field(0).data_type()).to_string(),
        "TIMESTAMP_LTZ(3)"
    );

    let (calls, _) = read(
        "SELECT * FROM TABLE(SESSION(TABLE t PARTITION BY s, n, DESCRIPTOR(ts), INTERVAL '1:30' MINUTE TO SECOND))",
    )
    .unwrap();
    assert_eq!((calls[0].keys.len(), calls[0].size_ms), (2, 90_000));

    let error = |window: &str| read(&format!("SELECT * FROM TABLE({window})")).unwrap_err();
    let zero = error("TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '0' SECOND)");
    assert!(
        zero.message()
            .contains("size of TUMBLE must be more than zero"),
        "{zero}"
    );
    let months = error("TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MONTH)");
    assert!(months.message().contains("months or years"), "{months}");
    let step =
        error("CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '7' SECOND, INTERVAL '10' SECOND)");
    assert!(step.message().contains("multiple of its step"), "{step}");
    let column = error("TUMBLE(TABLE t, DESCRIPTOR(ts), n)");
    assert!(
        column.message().contains("must be an interval literal"),
        "{column}"
    );
}

#[test]
fn nested_fields_by_dot() {
    let context = session(None);
    let inner = Field::new(
        "zip",
        DataType::Struct(vec![Field::new("code", DataType::Int64, true)].into()),
        true,
    );
    let address = DataType::Struct(vec![inner].into());
    let schema = Arc::new(Schema::new(vec![Field::new("address", address, true)]));
    context
        .register_batch("people", RecordBatch::new_empty(schema))
        .unwrap();
    for sql in [
        "SELECT address.zip.code FROM people",
        "SELECT people.address.zip.code FROM people",
        "SELECT p.address.zip.code FROM people AS p WHERE p.address.zip.code > 3",
        "SELECT SUM(p.`address`.zip.code) FROM people AS p",
    ] {
        let Statement::Query(query) = parse_one(sql).unwrap().statement else {
            panic!()
        };
        let statement = DfStatement::Statement(Box::new(AstStatement::Query(query.ast)));
        let plan = block(async { context.state().statement_to_plan(statement).await });
        let plan = plan.unwrap();
        let field = plan.schema().field(0);
        assert_eq!(field.data_type(), &DataType::Int64, "{sql}");
        assert!(
            sql.contains("SUM") || field.name() == "code",
            "{sql}: {field}"
        );
    }
}
