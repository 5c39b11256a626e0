#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

#[test]
fn leading_digits_are_counted_and_converted() {
    assert_eq!(leading_digits(*b"12345678"), (8, 12_345_678));
    assert_eq!(leading_digits(*b"1,345678"), (1, 1));
    assert_eq!(leading_digits(*b"907}5678"), (3, 907));
    assert_eq!(leading_digits(*b"-1234567"), (0, 0));
    assert_eq!(leading_digits(*b"1:\xff45678"), (1, 1));
    assert_eq!(leading_digits(*b"12/45678"), (2, 12));
}

#[test]
fn integers() {
    assert_eq!(integer(b"0"), Ok(0));
    assert_eq!(integer(b"+12"), Ok(12));
    assert_eq!(integer(b"-9223372036854775808"), Ok(i64::MIN));
    assert_eq!(integer(b"9223372036854775807"), Ok(i64::MAX));
    assert_eq!(integer(b"9223372036854775808"), Err(NumberError::Overflow));
    assert_eq!(integer(b"1e3"), Ok(1000));
    assert_eq!(integer(b"70.0"), Ok(70));
    assert_eq!(integer(b"-12.50e1"), Ok(-125));
    assert_eq!(integer(b"1.5"), Err(NumberError::Fraction));
    assert_eq!(
        integer(b"1e-400000000000000000000"),
        Err(NumberError::Fraction)
    );
    assert_eq!(
        integer(b"1e400000000000000000000"),
        Err(NumberError::Overflow)
    );
    assert_eq!(integer(b"0e400000000000000000000"), Ok(0));
    for malformed in ["", "-", "+", "abc", "1x", "1.2.3", "e5", "1e", "--1", "."] {
        assert_eq!(
            integer(malformed.as_bytes()),
            Err(NumberError::Malformed),
            "{malformed}"
        );
    }
}

#[test]
fn decimals_are_rounded_half_away_from_zero() {
    assert_eq!(decimal(b"1.005", 10, 2), Ok(101));
    assert_eq!(decimal(b"-1.005", 10, 2), Ok(-101));
    assert_eq!(decimal(b"1.00499999999", 10, 2), Ok(100));
    assert_eq!(decimal(b"12", 4, 2), Ok(1200));
    assert_eq!(decimal(b"123", 4, 2), Err(NumberError::Overflow));
    assert_eq!(decimal(b"99.995", 4, 2), Err(NumberError::Overflow));
    assert_eq!(decimal(b"1.5e-2", 10, 4), Ok(150));
    assert_eq!(
        decimal(b"0.0000000000000000000000000000000000000000000001", 38, 10),
        Ok(0)
    );
    let nines = "9".repeat(38);
    assert_eq!(decimal(nines.as_bytes(), 38, 0), Ok(10i128.pow(38) - 1));
    assert_eq!(decimal(b"1e38", 38, 0), Err(NumberError::Overflow));
}

#[test]
fn floats() {
    assert_eq!(double(b"1.5e3"), Ok(1500.0));
    assert!(double(b"NaN").unwrap().is_nan());
    assert_eq!(double(b"-Infinity"), Ok(f64::NEG_INFINITY));
    assert_eq!(double(b"1e999"), Err(NumberError::Overflow));
    assert_eq!(float(b"1e39"), Err(NumberError::Overflow));
    assert_eq!(double(b"1.5x"), Err(NumberError::Malformed));
    assert_eq!(double(b""), Err(NumberError::Malformed));
}

fn written(value: i128, scale: i8) -> String {
    let mut out = Vec::new();
    write_decimal(&mut out, value, scale);
    String::from_utf8(out).unwrap()
}

#[test]
fn decimals_are_written_plainly() {
    assert_eq!(written(12345, 2), "123.45");
    assert_eq!(written(-5, 3), "-0.005");
    assert_eq!(written(0, 2), "0.00");
    assert_eq!(written(7, 0), "7");
    assert_eq!(written(7, -2), "700");
}

proptest! {
    #[test]
    fn integers_agree_with_the_standard_library(value: i64) {
        prop_assert_eq!(integer(value.to_string().as_bytes()), Ok(value));
    }

    #[test]
    fn digits_agree_with_the_standard_library(value in 0u64..100_000_000) {
        let text = value.to_string();
        let mut bytes = [b','; 8];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        prop_assert_eq!(leading_digits(bytes), (text.len() as u32, value));
    }

    #[test]
    fn decimals_come_back(value in -(10i128.pow(30))..10i128.pow(30), scale in 0i8..20) {
        prop_assert_eq!(decimal(written(value, scale).as_bytes(), 38, scale), Ok(value));
    }

    #[test]
    fn any_bytes_are_survived(bytes: Vec<u8>, scale in -10i8..40) {
        let _ = (integer(&bytes), decimal(&bytes, 38, scale), double(&bytes));
    }
}
