#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use levada_engine::connector::ConnectorFactory;
use levada_engine::element::ChangelogMode;

use super::Blackhole;
use crate::fixture::table;

#[test]
fn takes_every_kind_of_stream() {
    let sink = Blackhole.sink(&table("blackhole", &[])).unwrap();
    for mode in [
        ChangelogMode::Append,
        ChangelogMode::Upsert,
        ChangelogMode::Retract,
    ] {
        assert_eq!(sink.accept(mode).unwrap(), mode);
    }
}

#[test]
fn cannot_be_read_and_has_no_options() {
    let error = Blackhole.source(&table("blackhole", &[])).err().unwrap();
    assert_eq!(
        error.message,
        "table 't': the connector 'blackhole' only writes and cannot be read"
    );
    let error = Blackhole
        .sink(&table("blackhole", &[("format", "json")]))
        .err()
        .unwrap();
    assert_eq!(error.message, "table 't': unknown option 'format'");
}
