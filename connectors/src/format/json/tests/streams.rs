//! Streams of lines: cutting into chunks, positions, bad lines.

use super::*;

fn fields() -> Vec<Field> {
    vec![column("a", "BIGINT"), column("s", "STRING")]
}

#[test]
fn chunks_of_any_size_give_the_same_rows_and_positions() {
    let text = "{\"a\":1}\n\n{\"a\":2,\"s\":\"ü\"}\r\n  \n{\"s\":\"x\",\"a\":3}\n{\"a\":4}";
    let mut all = decoder(fields(), &[]);
    assert_eq!(all.decode(whole(text.as_bytes())).unwrap(), text.len());
    assert_eq!(
        all.position(),
        Position {
            offset: text.len() as u64,
            line: Some(7)
        }
    );
    let expected = show(&all.flush().unwrap());
    assert_eq!(expected.lines().count(), 4);
    for size in 1..text.len() {
        let mut decoder = decoder(fields(), &[]);
        let (mut held, mut next) = (Vec::new(), 0);
        while next < text.len() || !held.is_empty() {
            let end = (next + size).min(text.len());
            held.extend_from_slice(&text.as_bytes()[next..end]);
            next = end;
            let last = next == text.len();
            let input = Input {
                bytes: &held,
                last,
                max_rows: usize::MAX,
                end: u64::MAX,
            };
            let consumed = decoder.decode(input).unwrap();
            held.drain(..consumed);
            assert_eq!(decoder.position().offset as usize, next - held.len());
        }
        assert_eq!(
            show(&decoder.flush().unwrap()),
            expected,
            "in chunks of {size}"
        );
    }
}

#[test]
fn reading_stops_at_the_row_limit_and_goes_on_from_the_position() {
    let text = "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n";
    let mut first = decoder(fields(), &[]);
    let input = Input {
        max_rows: 2,
        ..whole(text.as_bytes())
    };
    let consumed = first.decode(input).unwrap();
    assert_eq!((consumed, first.rows()), (16, 2));
    let position = first.position();
    assert_eq!(
        position,
        Position {
            offset: 16,
            line: Some(3)
        }
    );
    let mut second = decoder(fields(), &[]);
    second.seek(position);
    second.decode(whole(&text.as_bytes()[16..])).unwrap();
    assert_eq!(show(&second.flush().unwrap()), "{\"a\":3,\"s\":null}\n");
}

#[test]
fn ranges_of_bytes_take_each_row_once() {
    let text: String = (0..200).map(|i| format!("{{\"a\":{i}}}\n")).collect();
    for cut in 1..text.len() {
        let mut rows = Vec::new();
        for (start, end) in [(0, cut), (cut, text.len())] {
            let from = match start {
                0 => 0,
                _ => start + memchr::memchr(b'\n', &text.as_bytes()[start - 1..]).unwrap(),
            };
            let mut decoder = decoder(fields(), &[]);
            decoder.seek(Position {
                offset: from as u64,
                line: None,
            });
            let input = Input {
                end: end as u64,
                ..whole(&text.as_bytes()[from..])
            };
            decoder.decode(input).unwrap();
            rows.push(show(&decoder.flush().unwrap()));
        }
        let expected: String = (0..200)
            .map(|i| format!("{{\"a\":{i},\"s\":null}}\n"))
            .collect();
        assert_eq!(rows.concat(), expected, "cut at {cut}");
    }
}

#[test]
fn a_bad_line_fails_with_its_place() {
    let mut decoder = decoder(fields(), &[]);
    let error = decoder
        .decode(whole(b"{\"a\":1}\n{\"a\":oops}\n{\"a\":3}\n"))
        .unwrap_err();
    assert_eq!(
        error.message,
        "bad row at line 2 (at byte 8): column 'a': expected a BIGINT, but there is 'o' (byte 6 of the row); \
         the row: {\"a\":oops}"
    );
    assert!(
        error
            .hint
            .unwrap()
            .contains("'json.ignore-parse-errors' = 'true'")
    );
    assert_eq!((decoder.rows(), decoder.position().offset), (1, 8));
}

#[test]
fn bad_lines_are_diverted_with_payload_position_and_error() {
    let schema = schema(fields());
    let mut decoder = Json::default()
        .decoder(&schema, schema.clone(), OnBadRow::Divert)
        .unwrap();
    let text = b"{\"a\":1}\n{\"a\":\"x\r\n\xff{\"a\":7}\n{\"s\":\"y\",\"a\":[]}\n{\"a\":5}\n";
    assert_eq!(decoder.decode(whole(text)).unwrap(), text.len());
    assert_eq!(
        show(&decoder.flush().unwrap()),
        "{\"a\":1,\"s\":null}\n{\"a\":5,\"s\":null}\n"
    );
    let bad = decoder.take_bad_rows();
    let seen: Vec<_> = bad
        .iter()
        .map(|row| {
            (
                row.payload.as_slice(),
                row.position.offset,
                row.position.line,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (&b"{\"a\":\"x"[..], 8, Some(2)),
            (&b"\xff{\"a\":7}"[..], 17, Some(3)),
            (&b"{\"s\":\"y\",\"a\":[]}"[..], 26, Some(4)),
        ]
    );
    assert!(
        bad[0].error.contains("expected the end of a string"),
        "{}",
        bad[0].error
    );
    assert!(
        bad[1].error.contains("not valid UTF-8 (byte 1 of the row)"),
        "{}",
        bad[1].error
    );
    assert!(
        bad[2]
            .error
            .contains("column 'a': expected a BIGINT, but found an array (byte 14 of the row)"),
        "{}",
        bad[2].error
    );
    assert_eq!(decoder.take_bad_rows(), []);
}

#[test]
fn an_object_does_not_go_on_in_the_next_line() {
    let mut decoder = decoder(fields(), &[("ignore-parse-errors", "true")]);
    decoder
        .decode(whole(b"{\"a\":1,\n\"s\":\"x\"}\n{\"a\":2}\n"))
        .unwrap();
    assert_eq!((decoder.rows(), decoder.rows_ignored()), (1, 2));
    let multiline = message(fields(), &[], "{\n  \"a\": 1,\n  \"s\": \"x\"\n}\n");
    assert_eq!(multiline, "{\"a\":1,\"s\":\"x\"}");
}

#[test]
fn messages_may_hold_several_rows_or_none() {
    let mut decoder = decoder(fields(), &[]);
    assert_eq!(
        decoder
            .decode_message(b"[{\"a\":1}, {\"a\":2}]", 0)
            .unwrap(),
        2
    );
    assert_eq!(decoder.decode_message(b"[]", 1).unwrap(), 0);
    assert_eq!(decoder.decode_message(b"{\"a\":3}", 2).unwrap(), 1);
    decoder
        .decode_message(b"[{\"a\":4}, {\"a\":}]", 3)
        .unwrap_err();
    assert_eq!(decoder.rows(), 3);
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let mut decoder = decoder(fields(), &[]);
    let text = b"\xef\xbb\xbf{\"a\":1}\n";
    assert_eq!(decoder.decode(whole(text)).unwrap(), text.len());
    assert_eq!(decoder.position().offset, text.len() as u64);
    assert_eq!(decoder.rows(), 1);
}

#[test]
fn lines_longer_than_a_block_are_read() {
    let text = format!(
        "{{\"a\":1,\"s\":\"{}\"}}\n{{\"a\":2}}\n",
        "x".repeat(200_000)
    );
    let mut decoder = decoder(fields(), &[]);
    let cut = Input {
        last: false,
        ..whole(&text.as_bytes()[..150_000])
    };
    assert_eq!(decoder.decode(cut).unwrap(), 0);
    assert_eq!(decoder.decode(whole(text.as_bytes())).unwrap(), text.len());
    assert_eq!(decoder.rows(), 2);
}

#[test]
fn columns_start_anew_after_a_flush() {
    let mut decoder = decoder(
        vec![
            column("a", "BIGINT"),
            list("l", "STRING"),
            row("r", vec![column("b", "INT")]),
        ],
        &[],
    );
    for round in 0..3 {
        decoder
            .decode_message(
                format!("{{\"a\":{round},\"l\":[\"x\"],\"r\":{{\"b\":1}}}}").as_bytes(),
                0,
            )
            .unwrap();
        decoder.decode_message(b"{}", 0).unwrap();
        let expected = format!(
            "{{\"a\":{round},\"l\":[\"x\"],\"r\":{{\"b\":1}}}}\n{{\"a\":null,\"l\":null,\"r\":null}}\n"
        );
        assert_eq!(show(&decoder.flush().unwrap()), expected);
    }
    assert_eq!(decoder.flush().unwrap().num_rows(), 0);
}

#[test]
fn a_bad_row_leaves_nothing_behind() {
    let fields = || {
        vec![
            column("a", "BIGINT"),
            list("l", "STRING"),
            map("m", "BIGINT"),
            row("r", vec![column("b", "STRING"), list("k", "INT")]),
            column("z", "INT"),
        ]
    };
    let good = r#"{"a":1,"l":["p","q"],"m":{"k":1},"r":{"b":"c","k":[1,2]},"z":1}"#;
    let broken = [
        r#"{"a":1,"l":["p","q"],"m":{"k":1},"r":{"b":"c","k":[1,2]},"z":"bad"}"#,
        r#"{"a":1,"l":["p","q"],"m":{"k":1},"r":{"b":"c","k":[1,"bad"]}}"#,
        r#"{"a":1,"l":["p","q"],"m":{"k":1,"j":"bad"}}"#,
        r#"{"a":1,"l":["p","\ud800"]}"#,
        r#"{"l":["p","q"],"a":"bad"}"#,
    ];
    let mut decoder = decoder(fields(), &[]);
    for bad in broken {
        decoder.decode_message(good.as_bytes(), 0).unwrap();
        decoder.decode_message(bad.as_bytes(), 0).unwrap_err();
    }
    assert_eq!(
        show(&decoder.flush().unwrap()),
        format!("{good}\n").repeat(5)
    );
}
