use super::*;

fn create_table(sql: &str) -> CreateTable {
    match one(sql) {
        Statement::CreateTable(table) => table,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_script_has_several_statements_with_their_text_and_place() {
    let sql = "-- first\nSET 'a' = 'b;c';;\n/* two\n lines; */ SELECT 1 -- one\n;\n\n  SHOW TABLES";
    let statements = parse_ok(sql);
    let seen: Vec<(&str, u32, u32)> = statements
        .iter()
        .map(|s| (s.text.as_str(), s.location.line, s.location.column))
        .collect();
    assert_eq!(
        seen,
        [
            ("SET 'a' = 'b;c'", 2, 1),
            ("SELECT 1", 4, 12),
            ("SHOW TABLES", 7, 3),
        ]
    );
    assert!(parse_ok(" -- nothing\n ; ;").is_empty());
}

#[test]
fn create_table_with_everything() {
    let table = create_table(
        "CREATE TEMPORARY TABLE IF NOT EXISTS `my db`.Orders (
           order_id BIGINT NOT NULL COMMENT 'the key',
           \"price\" DECIMAL(10, 2),
           address ROW<street STRING, zip ROW<code INT>>,
           tags MAP<STRING, ARRAY<STRING>>,
           total AS price * 2 COMMENT 'twice',
           event_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
           `offset` BIGINT METADATA,
           ts AS TO_TIMESTAMP(address.street),
           WATERMARK FOR ts AS ts - INTERVAL '5' SECOND,
           CONSTRAINT pk PRIMARY KEY (ORDER_ID) NOT ENFORCED
         ) COMMENT 'all orders'
         PARTITIONED BY (order_id)
         WITH ('connector' = 'kafka', 'topic' = 'it''s')",
    );
    assert_eq!(table.name.to_string(), "`my db`.Orders");
    assert!(table.mode.temporary && table.mode.if_not_exists && !table.mode.or_replace);
    let declared = table.declaration;
    let columns: Vec<String> = declared
        .columns
        .iter()
        .map(|column| {
            let kind = match &column.kind {
                ColumnKind::Physical(t) => t.to_string(),
                ColumnKind::Computed(e) => format!("AS {}", e.text),
                ColumnKind::Metadata {
                    data_type,
                    key,
                    is_virtual,
                } => {
                    format!("{data_type} METADATA {key:?} {is_virtual}")
                }
            };
            format!(
                "{}: {kind} {}",
                column.name.value,
                column.comment.as_deref().unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(
        columns,
        [
            "order_id: BIGINT NOT NULL the key",
            "price: DECIMAL(10, 2) -",
            "address: ROW<`street` STRING, `zip` ROW<`code` INT>> -",
            "tags: MAP<STRING, ARRAY<STRING>> -",
            "total: AS price * 2 twice",
            "event_time: TIMESTAMP_LTZ(3) METADATA Some(\"timestamp\") true -",
            "offset: BIGINT METADATA None false -",
            "ts: AS TO_TIMESTAMP(address.street) -",
        ]
    );
    let watermark = declared.watermark.unwrap();
    assert_eq!(watermark.column.value, "ts");
    assert_eq!(watermark.expression.text, "ts - INTERVAL '5' SECOND");
    assert_eq!(
        watermark.location,
        Some(Location {
            line: 10,
            column: 12
        })
    );
    let key = declared.primary_key.unwrap();
    assert_eq!(key.name.unwrap().value, "pk");
    assert_eq!(
        key.columns[0].value, "order_id",
        "clauses find columns in any case"
    );
    assert_eq!(declared.comment.as_deref(), Some("all orders"));
    assert_eq!(declared.partitioned_by.len(), 1);
    let options: Vec<(&str, &str)> = declared
        .options
        .iter()
        .map(|o| (o.key.as_str(), o.value.as_str()))
        .collect();
    assert_eq!(options, [("connector", "kafka"), ("topic", "it's")]);
    assert_eq!(
        declared.options[1].key_location,
        Some(Location {
            line: 14,
            column: 39
        })
    );
}

#[test]
fn create_table_small_forms() {
    let table =
        create_table("CREATE OR REPLACE TABLE t (id INT PRIMARY KEY NOT ENFORCED, v STRING)");
    assert!(table.mode.or_replace);
    assert_eq!(
        table.declaration.primary_key.unwrap().columns[0].value,
        "id"
    );
    assert!(
        create_table("CREATE TABLE t WITH ()")
            .declaration
            .columns
            .is_empty()
    );
    let table = create_table("CREATE TABLE t (a TIMESTAMP(3)) WITH ('x' = 'y')");
    assert_eq!(table.declaration.options.len(), 1);
}

#[test]
fn create_view_and_drop() {
    let Statement::CreateView(view) =
        one("CREATE TEMPORARY VIEW v (a, b) COMMENT 'c' AS SELECT x, y FROM t")
    else {
        panic!()
    };
    assert_eq!(view.columns.len(), 2);
    assert_eq!(view.comment.as_deref(), Some("c"));
    assert_eq!(view.query.text, "SELECT x, y FROM t");
    assert!(view.mode.temporary);
    assert_eq!(
        one("DROP TEMPORARY VIEW IF EXISTS v"),
        Statement::Drop(Drop {
            kind: ObjectKind::View,
            names: vec![view.name],
            if_exists: true,
            temporary: true,
        })
    );
    assert!(matches!(
        one("DROP TABLE a.b"),
        Statement::Drop(Drop {
            kind: ObjectKind::Table,
            if_exists: false,
            ..
        })
    ));
}

#[test]
fn show_and_describe() {
    let check = |sql: &str, expected: Show| assert_eq!(one(sql), Statement::Show(expected));
    let all = Listing::default;
    check("SHOW TABLES", Show::Tables(all()));
    check("show views;", Show::Views(all()));
    check("SHOW JOBS", Show::Jobs);
    check("SHOW FUNCTIONS", Show::Functions(None));
    check("SHOW CATALOGS", Show::Catalogs(None));
    check("SHOW DATABASES", Show::Databases(all()));
    let Statement::Show(Show::Tables(listing)) = one("SHOW TABLES IN a.b NOT ILIKE 'x%'") else {
        panic!()
    };
    assert_eq!(listing.from.unwrap().to_string(), "a.b");
    let like = listing.like.unwrap();
    assert!(like.negated && like.any_case);
    assert!(like.accepts("y") && !like.accepts("Xy"));
    check("SHOW CURRENT DATABASE", Show::CurrentDatabase);
    assert!(matches!(
        one("SHOW CREATE TABLE t"),
        Statement::Show(Show::CreateTable(_))
    ));
    assert!(matches!(
        one("SHOW CREATE VIEW t"),
        Statement::Show(Show::CreateView(_))
    ));
    let described = |sql: &str| match one(sql) {
        Statement::Describe(Describe::Table(name)) => name.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(described("DESC t"), "t");
    assert_eq!(described("DESCRIBE a.t"), "a.t");
    assert_eq!(described("DESCRIBE EXTENDED a.b.t"), "a.b.t");
    assert_eq!(described("DESCRIBE job"), "job");
    assert!(
        matches!(one("DESCRIBE JOB 'x'"), Statement::Describe(Describe::Job(id, _)) if id == "x")
    );
    assert!(matches!(
        one("DESCRIBE DATABASE EXTENDED d"),
        Statement::Describe(Describe::Database { extended: true, .. })
    ));
}

#[test]
fn patterns_of_names() {
    let accepts = |pattern: &str, name: &str| {
        let pattern = NamePattern {
            pattern: pattern.to_string(),
            negated: false,
            any_case: false,
        };
        pattern.accepts(name)
    };
    for (pattern, fits, differs) in [
        ("orders", "orders", "Orders"),
        ("ord%", "orders", "or"),
        ("%s", "orders", "order"),
        ("%d%r_", "orders", "orer"),
        ("a%b%c", "axbxbxc", "axbxbx"),
        ("__", "ab", "a"),
        (r"a\_b", "a_b", "axb"),
        (r"100\%", "100%", "1000"),
        ("", "", "a"),
        ("%_", "a", ""),
    ] {
        assert!(accepts(pattern, fits), "{pattern} {fits}");
        assert!(!accepts(pattern, differs), "{pattern} {differs}");
    }
}

#[test]
fn set_reset_use_stop() {
    let set = |sql: &str| match one(sql) {
        Statement::Set(Set::Value { key, value, .. }) => (key, value),
        other => panic!("{other:?}"),
    };
    let pair = |a: &str, b: &str| (a.to_string(), b.to_string());
    assert_eq!(
        set("SET 'parallelism.default' = '4'"),
        pair("parallelism.default", "4")
    );
    assert_eq!(
        set("SET state.backend.type = rocksdb;"),
        pair("state.backend.type", "rocksdb")
    );
    assert_eq!(
        set("SET table.exec.mini-batch.size = 10"),
        pair("table.exec.mini-batch.size", "10")
    );
    assert_eq!(
        set("SET execution.checkpointing.interval = 10 s"),
        pair("execution.checkpointing.interval", "10 s")
    );
    assert_eq!(one("SET"), Statement::Set(Set::List));
    assert_eq!(one("RESET"), Statement::Reset(None));
    assert_eq!(
        one("RESET 'a.b'"),
        Statement::Reset(Some(("a.b".to_string(), Location { line: 1, column: 7 })))
    );
    assert!(matches!(
        one("USE CATALOG c"),
        Statement::Use(Use::Catalog(_))
    ));
    assert!(matches!(one("USE a.b"), Statement::Use(Use::Database(_))));
    let Statement::StopJob(stop) = one("STOP JOB 'x-1' WITH SAVEPOINT WITH DRAIN") else {
        panic!()
    };
    assert!(stop.with_savepoint && stop.with_drain && stop.id == "x-1");
}

fn insert(sql: &str) -> Insert {
    match one(sql) {
        Statement::Insert(insert) => insert,
        other => panic!("{other:?}"),
    }
}

#[test]
fn inserts() {
    let plain = insert("INSERT INTO t SELECT * FROM s");
    assert!(plain.columns.is_empty() && plain.partition.is_empty() && !plain.overwrite);
    let full =
        insert("INSERT INTO db.t PARTITION (day = '2024-01-01') (a, b) VALUES (1, 'x'), (2, 'y')");
    assert_eq!(full.columns.len(), 2);
    assert_eq!(full.partition[0].0.value, "day");
    assert_eq!(full.query.text, "VALUES (1, 'x'), (2, 'y')");
    let hinted = insert("INSERT INTO t /*+ OPTIONS('sink.parallelism' = '3') */ (SELECT 1)");
    assert_eq!(hinted.options[0].value, "3");
    assert!(hinted.columns.is_empty());
    assert!(insert("INSERT OVERWRITE t SELECT 1").overwrite);
    assert_eq!(
        insert("INSERT INTO t (a) WITH c AS (SELECT 1) SELECT * FROM c")
            .columns
            .len(),
        1
    );
}

#[test]
fn statement_sets() {
    let set = |sql: &str| match one(sql) {
        Statement::StatementSet(inserts) => {
            inserts.iter().map(|i| i.text.clone()).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let both = ["INSERT INTO a SELECT 1", "INSERT INTO b SELECT 2"];
    assert_eq!(
        set("EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END;"),
        both
    );
    assert_eq!(
        set("BEGIN STATEMENT SET; INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END;"),
        both
    );
}

#[test]
fn explain() {
    let check = |sql: &str, expected: &[ExplainDetail]| match one(sql) {
        Statement::Explain(explain) => assert_eq!(explain.details, expected, "{sql}"),
        other => panic!("{other:?}"),
    };
    check("EXPLAIN SELECT 1", &[]);
    check("EXPLAIN PLAN FOR SELECT 1", &[]);
    check(
        "EXPLAIN CHANGELOG_MODE SELECT 1",
        &[ExplainDetail::ChangelogMode],
    );
    check(
        "EXPLAIN ESTIMATED_COST, CHANGELOG_MODE INSERT INTO t SELECT 1",
        &[ExplainDetail::EstimatedCost, ExplainDetail::ChangelogMode],
    );
    check("EXPLAIN JOB GRAPH SELECT 1", &[ExplainDetail::JobGraph]);
    check(
        "EXPLAIN LOGICAL WITH x AS (SELECT 1) SELECT * FROM x",
        &[ExplainDetail::Logical],
    );
    check(
        "EXPLAIN STATEMENT SET BEGIN INSERT INTO t SELECT 1; END",
        &[],
    );
}

#[test]
fn a_shell_knows_when_a_statement_is_complete() {
    let check = |sql: &str, expected: bool| assert_eq!(is_complete(sql), expected, "{sql}");
    check("SELECT 1", false);
    check("SELECT 1;", true);
    check("SELECT ';", false);
    check("SELECT 1; -- more", true);
    check("/* SELECT 1;", false);
    check("EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1;", false);
    check(
        "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END;",
        true,
    );
    check("BEGIN STATEMENT SET; INSERT INTO a SELECT 1;", false);
    check("", false);
}
