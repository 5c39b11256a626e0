use proptest::prelude::*;
use rdkafka::message::{Header, Headers as _, OwnedHeaders};

use super::*;

/// A row that owns its parts.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    partition: Option<i32>,
    timestamp: Option<i64>,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Option<Vec<(String, Option<Vec<u8>>)>>,
}

impl Row {
    fn value(bytes: Vec<u8>) -> Self {
        Row {
            partition: None,
            timestamp: None,
            key: None,
            value: Some(bytes),
            headers: None,
        }
    }

    fn record(&self) -> Record<'_> {
        let mut record: Record<'_> = BaseRecord::to("ignored");
        record.partition = self.partition;
        record.timestamp = self.timestamp;
        record.key = self.key.as_deref();
        record.payload = self.value.as_deref();
        record.headers = self.headers.as_ref().map(|all| {
            all.iter().fold(OwnedHeaders::new(), |headers, (key, v)| {
                headers.insert(Header {
                    key,
                    value: v.as_ref(),
                })
            })
        });
        record
    }

    fn of(record: &Record<'_>) -> Self {
        Row {
            partition: record.partition,
            timestamp: record.timestamp,
            key: record.key.map(<[u8]>::to_vec),
            value: record.payload.map(<[u8]>::to_vec),
            headers: record.headers.as_ref().map(|all| {
                let all = all.iter();
                all.map(|h| (h.key.to_string(), h.value.map(<[u8]>::to_vec)))
                    .collect()
            }),
        }
    }
}

fn label() -> Label {
    Label {
        transactional_id: "prefix-sink-0".into(),
        job: "job-1".into(),
        lineage: "job-1-0-abc".into(),
        topic: "t".into(),
        checkpoint: 7,
    }
}

fn encode(rows: &[Row]) -> Vec<u8> {
    let mut buffer = EpochBuffer::default();
    for row in rows {
        buffer.push(&row.record()).unwrap();
    }
    buffer.take(&label()).unwrap()
}

fn decode(bytes: Vec<u8>) -> Result<Vec<Row>> {
    let epoch = Epoch::decode(bytes)?;
    let mut rows = Vec::new();
    let mut reader = epoch.reader();
    while let Some(record) = reader.next()? {
        assert_eq!(record.topic, epoch.label.topic);
        rows.push(Row::of(&record));
    }
    Ok(rows)
}

/// Gives bytes the checksum that they need to be looked at.
fn with_checksum(mut content: Vec<u8>) -> Vec<u8> {
    let crc = crc32fast::hash(&content);
    content.extend_from_slice(&crc.to_le_bytes());
    content
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..20);
    let header = ("[a-zé]{0,5}", proptest::option::of(bytes()));
    let row = (
        proptest::option::of(any::<i32>()),
        proptest::option::of(any::<i64>()),
        proptest::option::of(bytes()),
        proptest::option::of(bytes()),
        proptest::option::of(proptest::collection::vec(header, 0..3)),
    );
    let row = row.prop_map(|(partition, timestamp, key, value, headers)| Row {
        partition,
        timestamp,
        key,
        value,
        headers,
    });
    proptest::collection::vec(row, 0..20)
}

proptest! {
    #[test]
    fn rows_come_back_as_they_were(rows in rows()) {
        let bytes = encode(&rows);
        let epoch = Epoch::decode(bytes.clone()).unwrap();
        prop_assert_eq!(&epoch.label, &label());
        prop_assert_eq!(epoch.rows, rows.len() as u64);
        prop_assert_eq!(decode(bytes).unwrap(), rows);
    }

    #[test]
    fn a_changed_byte_is_noticed(
        rows in rows(),
        at in any::<prop::sample::Index>(),
        change in 1..=255u8,
    ) {
        let mut bytes = encode(&rows);
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        prop_assert!(decode(bytes).is_err());
    }

    #[test]
    fn a_cut_is_noticed(rows in rows(), at in any::<prop::sample::Index>()) {
        let mut bytes = encode(&rows);
        bytes.truncate(at.index(bytes.len()));
        prop_assert!(decode(bytes).is_err());
    }

    /// Bytes that are wrong but have the right checksum: an error or other rows, never a panic.
    #[test]
    fn wrong_bytes_do_no_harm(
        rows in rows(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = encode(&rows);
        bytes.truncate(bytes.len() - CRC_BYTES);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = decode(with_checksum(bytes));
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(bytes.clone());
        let mut versioned = vec![VERSION];
        versioned.extend(&bytes);
        let _ = decode(with_checksum(versioned));
        // A row by itself.
        let _ = row_of(&bytes, "t");
    }
}

#[test]
fn rows_may_be_larger_than_a_block() {
    let large = |seed: u8, length: usize| -> Vec<u8> {
        (0..length).map(|i| (i as u8).wrapping_mul(seed)).collect()
    };
    let mut expected = Vec::new();
    for seed in 0..5 {
        expected.push(Row::value(large(seed, 10)));
        expected.push(Row::value(large(seed, BLOCK_BYTES * 2 + 17)));
        expected.push(Row::value(large(seed, BLOCK_BYTES - 9)));
    }
    assert!(decode(encode(&expected)).unwrap() == expected);
}

#[test]
fn equal_rows_are_packed() {
    let rows = vec![Row::value(b"{\"id\":1,\"text\":\"nothing new\"}".to_vec()); 50_000];
    let bytes = encode(&rows);
    assert!(bytes.len() < 50_000, "{} bytes", bytes.len());
    assert_eq!(decode(bytes).unwrap().len(), rows.len());
}

#[test]
fn a_buffer_starts_anew() {
    let mut buffer = EpochBuffer::default();
    buffer.push(&Row::value(vec![1]).record()).unwrap();
    buffer.take(&label()).unwrap();
    let empty = buffer.take(&label()).unwrap();
    assert_eq!(Epoch::decode(empty.clone()).unwrap().rows, 0);
    assert_eq!(decode(empty).unwrap(), []);
}

#[test]
fn lengths_are_not_believed() {
    let mut buffer = EpochBuffer::default();
    let bytes = buffer.take(&label()).unwrap();
    let content = bytes[..bytes.len() - CRC_BYTES].to_vec();
    let rows_at = content.len() - 8;
    let crafted = |rows: u64, blocks: &[u8]| {
        let mut content = content.clone();
        content[rows_at..].copy_from_slice(&rows.to_le_bytes());
        content.extend_from_slice(blocks);
        decode(with_checksum(content)).unwrap_err().message
    };
    assert!(crafted(u64::MAX, &[]).contains("rows are missing"));
    assert!(crafted(1, &[255; 8]).contains("a block is too large"));
    assert!(crafted(0, &[0]).contains("more than its rows"));
    // A block of zeros that unpacks to more than it says.
    let packed = zstd::bulk::compress(&vec![0; BLOCK_BYTES * 4], 1).unwrap();
    let mut block = 100u32.to_le_bytes().to_vec();
    block.extend((packed.len() as u32).to_le_bytes());
    block.extend(packed);
    assert!(crafted(1, &block).contains("cannot be unpacked"));
    let error = decode(vec![9, 0, 0, 0, 0]).unwrap_err();
    assert!(error.message.contains("the version 9"), "{error}");
}
