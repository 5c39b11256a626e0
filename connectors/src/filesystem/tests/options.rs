use levada_engine::connector::Boundedness;

use super::*;

fn refused(options: &[(&str, &str)]) -> String {
    let error = Filesystem
        .source(&table_of("filesystem", schema(), options))
        .err()
        .unwrap();
    assert_eq!(error.code(), "LV-2001", "{error}");
    error.message
}

const VALID: [(&str, &str); 2] = [("path", "/data"), ("format", "json")];

#[test]
fn path_and_format_are_required() {
    assert_eq!(
        refused(&[("format", "json")]),
        "table 't': the option 'path' is missing"
    );
    assert_eq!(
        refused(&[("path", "/data")]),
        "table 't': the option 'format' is missing"
    );
    assert_eq!(
        refused(&[("path", ""), ("format", "json")]),
        "table 't': the option 'path' is empty"
    );
    assert_eq!(
        refused(&[("path", "/data"), ("format", "jason")]),
        "table 't': unknown format 'jason'"
    );
}

#[test]
fn other_file_systems_are_refused() {
    assert_eq!(
        refused(&[("path", "s3://bucket/data"), ("format", "json")]),
        "table 't': the option 'path' has the value 's3://bucket/data': \
         's3' is not a supported file system"
    );
    assert_eq!(
        refused(&[("path", "file://host/data"), ("format", "json")]),
        "table 't': the option 'path' has the value 'file://host/data', \
         which is no URL of a local file"
    );
}

#[test]
fn wrong_values_are_refused() {
    for (name, value, expected) in [
        ("source.monitor-interval", "soon", "a duration such as"),
        ("source.monitor-interval", "0 s", "a duration above zero"),
        ("source.path.regex-pattern", "(", "a regular expression"),
        ("sink.rolling-policy.file-size", "big", "a size such as"),
        ("sink.rolling-policy.file-size", "0", "a size above zero"),
        (
            "sink.rolling-policy.rollover-interval",
            "0",
            "a duration above zero",
        ),
        (
            "sink.rolling-policy.check-interval",
            "x",
            "a duration such as",
        ),
        (
            "sink.partition-commit.policy.kind",
            "metastore",
            "one of 'success-file'",
        ),
        (
            "sink.partition-commit.trigger",
            "partition-time",
            "one of 'process-time'",
        ),
        ("sink.partition-commit.delay", "1 h", "'0 s'"),
        (
            "sink.partition-commit.success-file.name",
            "a/b",
            "a file name",
        ),
        ("auto-compaction", "maybe", "'true' or 'false'"),
    ] {
        let message = refused(&[VALID[0], VALID[1], (name, value)]);
        let start = format!("table 't': the option '{name}' has the value '{value}', expected ");
        let rest = message.strip_prefix(&start);
        let rest = rest.unwrap_or_else(|| panic!("{message}"));
        assert!(rest.starts_with(expected), "{message}");
    }
    assert_eq!(
        refused(&[VALID[0], VALID[1], ("auto-compaction", "true")]),
        "table 't': 'auto-compaction' = 'true' is not supported"
    );
    assert_eq!(
        refused(&[VALID[0], VALID[1], ("source.monitor-intervall", "1 s")]),
        "table 't': unknown option 'source.monitor-intervall'"
    );
}

#[test]
fn metadata_and_partition_columns_are_checked() {
    let mut table = table_of("filesystem", schema(), &VALID);
    table.metadata.insert("b".into(), "file.nam".into());
    let error = Filesystem.source(&table).err().unwrap();
    assert_eq!(error.message, "table 't': unknown metadata key 'file.nam'");
    let hint = error.hint.unwrap();
    assert!(hint.contains("did you mean 'file.name'"), "{hint}");
    assert!(hint.contains("'file.modification-time'"), "{hint}");

    let mut table = table_of("filesystem", schema(), &VALID);
    table.partitioned_by = vec!["day".into()];
    let error = Filesystem.source(&table).err().unwrap();
    assert_eq!(
        error.message,
        "table 't': the column 'day' in PARTITIONED BY does not exist"
    );

    table.partitioned_by = vec!["a".into(), "b".into()];
    assert!(Filesystem.source(&table).is_err());
}

#[test]
fn monitoring_makes_a_table_unbounded() {
    let bounded = |options: &[(&str, &str)]| {
        let table = table_of("filesystem", schema(), options);
        Filesystem.source(&table).unwrap().boundedness()
    };
    assert_eq!(bounded(&VALID), Boundedness::Bounded);
    let watched = [VALID[0], VALID[1], ("source.monitor-interval", "1 s")];
    assert_eq!(bounded(&watched), Boundedness::Unbounded);
}

#[test]
fn metadata_keys_are_known_to_the_planner() {
    let keys = Filesystem.metadata(&table_of("filesystem", schema(), &VALID));
    let keys: Vec<_> = keys.unwrap().into_iter().map(|(key, _)| key).collect();
    assert_eq!(
        keys,
        [
            "file.path",
            "file.name",
            "file.size",
            "file.modification-time"
        ]
    );
}
