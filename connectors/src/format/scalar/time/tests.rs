#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use proptest::prelude::*;

use super::*;

fn moment(text: &str) -> Option<(i64, u32, bool)> {
    timestamp(text.as_bytes(), &mut DateMemo::default()).map(|m| (m.seconds, m.nanos, m.zoned))
}

#[test]
fn timestamps_in_both_forms() {
    let base = 1_700_000_000;
    assert_eq!(moment("2023-11-14 22:13:20.000"), Some((base, 0, false)));
    assert_eq!(moment("2023-11-14 22:13:20"), Some((base, 0, false)));
    assert_eq!(
        moment("2023-11-14T22:13:20.123"),
        Some((base, 123_000_000, false))
    );
    assert_eq!(
        moment("2023-11-14T22:13:20.000000001Z"),
        Some((base, 1, true))
    );
    assert_eq!(moment("2023-11-15 00:13:20+02:00"), Some((base, 0, true)));
    assert_eq!(
        moment("2023-11-14 16:43:20.5-0530"),
        Some((base, 500_000_000, true))
    );
    assert_eq!(moment("2023-11-14T22:13"), Some((base - 20, 0, false)));
    assert_eq!(
        moment("1969-12-31 23:59:59.999"),
        Some((-1, 999_000_000, false))
    );
}

#[test]
fn what_is_no_timestamp_is_refused() {
    for text in [
        "",
        "2023-11-14",
        "2023-11-14 ",
        "2023-11-14 24:00:00",
        "2023-11-14 22:60:00",
        "2023-11-14 22:13:60.000",
        "2023-02-29 00:00:00",
        "2023-13-01 00:00:00",
        "2023-00-10 00:00:00",
        "2023-11-14x22:13:20",
        "2023-11-14 22:13:20.",
        "2023-11-14 22:13:20.0000000001",
        "2023-11-14 22:13:20.0a0",
        "2023-11-14 22:13:20 ",
        "2023-11-14 22:13:20+2:00",
        "23-11-14 22:13:20",
        "2023-11-14 22:13:20+99:00",
        "2023-11-14 2213:20.000",
    ] {
        assert_eq!(moment(text), None, "{text}");
    }
}

#[test]
fn leap_days_follow_the_calendar() {
    assert_eq!(date(b"2000-02-29"), Some(11_016));
    assert_eq!(date(b"1900-02-29"), None);
    assert_eq!(date(b"0000-03-01"), Some(-719_468));
    assert_eq!(date(b"1970-01-01"), Some(0));
}

#[test]
fn a_memo_of_a_bad_date_is_not_kept() {
    let mut memo = DateMemo::default();
    assert!(timestamp(b"\0\0\0\0\0\0\0\0\0\0 00:00:00", &mut memo).is_none());
    assert!(timestamp(b"2023-02-31 00:00:00", &mut memo).is_none());
    assert!(timestamp(b"2023-02-31 00:00:00", &mut memo).is_none());
}

#[test]
fn times_of_day() {
    assert_eq!(time_of_day(b"22:13:20"), Some(80_000_000_000_000));
    assert_eq!(time_of_day(b"00:00:00.001"), Some(1_000_000));
    assert_eq!(time_of_day(b"25:00:00"), None);
    assert_eq!(time_of_day(b"22:13:20Z"), None);
}

#[test]
fn writing() {
    let text = |write: &dyn Fn(&mut Vec<u8>)| {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(
        text(&|o| write_timestamp(o, 1_700_000_000_007, 1_000, b' ')),
        "2023-11-14 22:13:20.007"
    );
    assert_eq!(
        text(&|o| write_timestamp(o, -1, 1_000_000, b'T')),
        "1969-12-31T23:59:59.999999"
    );
    assert_eq!(text(&|o| write_time(o, 80_000_000, 1_000)), "22:13:20");
    assert_eq!(text(&|o| write_time(o, 80_000_001, 1_000)), "22:13:20.001");
    assert_eq!(text(&|o| write_date(o, 19_675)), "2023-11-14");
    assert_eq!(text(&|o| write_date(o, 4_000_000)), "+12921-08-18");
    assert_eq!(text(&|o| write_date(o, -800_000)), "-0221-09-04");
}

proptest! {
    #[test]
    fn timestamps_agree_with_chrono(seconds in -62_000_000_000i64..250_000_000_000, nanos in 0u32..1_000_000_000) {
        let expected: NaiveDateTime = DateTime::from_timestamp(seconds, nanos).unwrap().naive_utc();
        let text = expected.format("%Y-%m-%d %H:%M:%S%.9f").to_string();
        prop_assert_eq!(moment(&text), Some((seconds, nanos, false)));
        let text = expected.format("%Y-%m-%d %H:%M:%S%.3f").to_string();
        prop_assert_eq!(moment(&text), Some((seconds, nanos / 1_000_000 * 1_000_000, false)));
        let bytes = <&[u8; 23]>::try_from(text.as_bytes()).unwrap();
        let quick = timestamp_millis(bytes, &mut DateMemo::default()).unwrap();
        prop_assert_eq!((quick.seconds, quick.nanos, quick.zoned), moment(&text).unwrap());
    }

    #[test]
    fn dates_agree_with_chrono(year in 0i32..10_000, month in 0u32..14, day in 0u32..33) {
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        let expected = NaiveDate::from_ymd_opt(year, month, day).map(|d| (d - epoch).num_days() as i32);
        prop_assert_eq!(date(format!("{year:04}-{month:02}-{day:02}").as_bytes()), expected);
    }

    #[test]
    fn what_is_written_is_read(value in -62_000_000_000_000i64..250_000_000_000_000) {
        let mut out = Vec::new();
        write_timestamp(&mut out, value, 1_000, b' ');
        let moment = timestamp(&out, &mut DateMemo::default()).unwrap();
        prop_assert_eq!(moment.seconds * 1_000 + i64::from(moment.nanos / 1_000_000), value);
    }

    #[test]
    fn the_usual_form_is_read_as_any_other(
        place in 0usize..23, byte in prop::sample::select(b"0123456789:.- T\x00\xb0\xff/;".to_vec()),
    ) {
        let mut text = *b"2023-11-14 22:13:20.123";
        text[place] = byte;
        let quick = timestamp_millis(&text, &mut DateMemo::default());
        let slow = timestamp(&text, &mut DateMemo::default());
        // Only the general reader knows zones and other lengths of the fraction.
        prop_assert!(quick == slow || (quick.is_none() && place >= 19), "{:?} {:?}", quick, slow);
    }

    #[test]
    fn any_bytes_are_survived(bytes: Vec<u8>) {
        let _ = (timestamp(&bytes, &mut DateMemo::default()), date(&bytes), time_of_day(&bytes));
    }
}
