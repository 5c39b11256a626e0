#![allow(clippy::unwrap_used)]
use arrow::array::{Array, AsArray, Int32Array, Int64Array};
use arrow::datatypes::Int64Type;

use super::*;
use crate::layout::Block;

/// Where a block is in the memory here.
const BASE: usize = 16;
/// Where the descriptor of its only column is.
const COLUMN: usize = BASE + 8;

/// A guest's memory with a block in it.
fn memory(column: &ArrayRef) -> (Vec<u8>, ValueType) {
    let value_type = ValueType::from_arrow(column.data_type()).unwrap();
    let types = std::slice::from_ref(&value_type);
    let block = Block::new(&[Arc::clone(column)], types, column.len()).unwrap();
    let mut memory = vec![0; BASE + block.size()];
    block.write(&mut memory[BASE..], u32::try_from(BASE).unwrap());
    (memory, value_type)
}

fn read(memory: &[u8], value_type: &ValueType, rows: usize) -> Result<ArrayRef> {
    column(memory, u32::try_from(COLUMN).unwrap(), value_type, rows)
}

fn word(memory: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(memory[at..at + 4].try_into().unwrap())
}

fn place(memory: &[u8], at: usize) -> usize {
    usize::try_from(word(memory, at)).unwrap()
}

fn put(memory: &mut [u8], at: usize, value: u32) {
    memory[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn listed(values: ArrayRef, lengths: &[usize], valid: &[bool]) -> ArrayRef {
    let element = ValueType::from_arrow(values.data_type()).unwrap();
    let DataType::List(field) = ValueType::Array(Box::new(element)).to_arrow() else {
        panic!("an array is a list");
    };
    let offsets = OffsetBuffer::from_lengths(lengths.iter().copied());
    let nulls = Some(NullBuffer::from(valid.to_vec()));
    Arc::new(ListArray::try_new(field, offsets, values, nulls).unwrap())
}

fn numbers() -> ArrayRef {
    let values = Int64Array::from(vec![Some(1), Some(2), None, Some(4)]);
    listed(Arc::new(values), &[2, 0, 0, 2], &[true, false, true, true])
}

/// Arrays of rows of a number, a text and an array.
fn rows() -> ArrayRef {
    let number = Int32Array::from(vec![Some(1), None, Some(3), Some(4)]);
    let text = StringArray::from(vec![Some("é"), Some(""), None, Some("four")]);
    let columns: Vec<ArrayRef> = vec![Arc::new(number), Arc::new(text), numbers()];
    let names = ["number", "text", "array"].map(ToString::to_string);
    let types = columns
        .iter()
        .map(|c| ValueType::from_arrow(c.data_type()).unwrap());
    let DataType::Struct(fields) =
        ValueType::Row(names.into_iter().zip(types).collect()).to_arrow()
    else {
        panic!("a row is a struct");
    };
    let nulls = Some(NullBuffer::from(vec![true, true, false, true]));
    let values = StructArray::try_new(fields, columns, nulls).unwrap();
    listed(Arc::new(values), &[1, 3, 0], &[true, true, false])
}

#[test]
fn arrays_and_rows_are_read_as_they_were_written() {
    let rows = rows();
    let fields = Arc::clone(rows.as_list::<i32>().values());
    let within = listed(numbers(), &[1, 3], &[true, true]);
    for column in [numbers(), rows, fields, within] {
        for from in 0..column.len() {
            let part = column.slice(from, column.len() - from);
            let (memory, value_type) = memory(&part);
            let given = read(&memory, &value_type, part.len()).unwrap();
            assert_eq!(&given, &part, "from {from} of {value_type:?}");
            assert_eq!(&value_type.to_arrow(), part.data_type());
        }
    }
}

#[test]
fn elements_of_an_array_that_is_null_are_left_out() {
    let values = Arc::new(Int64Array::from_iter_values(0..6));
    let column = listed(values, &[1, 2, 1, 2], &[true, false, true, true]);
    let (memory, value_type) = memory(&column);
    let given = read(&memory, &value_type, 4).unwrap();
    assert_eq!(&given, &column);
    let values = given.as_list::<i32>().values().as_primitive::<Int64Type>();
    assert_eq!(values, &Int64Array::from(vec![0, 3, 4, 5]));
}

#[test]
fn offsets_of_arrays_have_to_rise_within_the_elements() {
    let (memory, value_type) = memory(&numbers());
    let offsets = place(&memory, COLUMN + 16);
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut memory = memory.clone();
        change(&mut memory);
        read(&memory, &value_type, 4).unwrap_err().message
    };
    let error = with(&|memory| put(memory, offsets + 4, 3));
    assert_eq!(error, "its result has offsets that do not rise");
    let error = with(&|memory| put(memory, offsets, u32::MAX));
    assert_eq!(
        error,
        "its result has offsets that are negative or beyond its 4 elements"
    );
    let error = with(&|memory| put(memory, offsets + 16, 5));
    assert_eq!(
        error,
        "its result has offsets that are negative or beyond its 4 elements"
    );
    let error = with(&|memory| put(memory, COLUMN + 16, 0xffff_fff0));
    assert!(error.starts_with("the offsets of its result"), "{error}");
    let error = with(&|memory| put(memory, COLUMN + 20, u32::MAX));
    assert!(error.contains("are not within its memory"), "{error}");
    let error = with(&|memory| put(memory, COLUMN + 12, u32::MAX));
    assert!(error.starts_with("the descriptor of its result"), "{error}");
}

#[test]
fn elements_and_fields_have_to_be_as_declared() {
    let (memory, value_type) = memory(&rows());
    let element = place(&memory, COLUMN + 12);
    let field = place(&memory, element + 12);
    let with = |at: usize, value: u32| {
        let mut memory = memory.clone();
        put(&mut memory, at, value);
        read(&memory, &value_type, 3).unwrap_err().message
    };
    let error = with(element + 20, 2);
    assert_eq!(error, "its result has rows of 2 fields, and 3 are declared");
    let error = with(field, 5);
    assert!(error.starts_with("its result has the type 5"), "{error}");
    let error = with(element + 4, 3);
    assert!(
        error.starts_with("its result says that 3 values are NULL"),
        "{error}"
    );
    let error = with(element + 12, u32::MAX - 30);
    assert!(
        error.starts_with("the descriptors of fields of its result"),
        "{error}"
    );
    // The elements of the array would be the array.
    let error = with(COLUMN + 12, u32::try_from(COLUMN).unwrap());
    assert!(error.starts_with("its result has the type 14"), "{error}");
    let text = place(&memory, field + 24 + 12);
    let error = with(text, u32::MAX);
    assert_eq!(error, "its result has a string that is not UTF-8");
}

#[test]
fn types_that_are_too_deep_or_without_fields_are_not_known() {
    let nested =
        |depth: usize| (0..depth).fold(ValueType::Int64, |of, _| ValueType::Array(Box::new(of)));
    assert_eq!(
        ValueType::from_arrow(&nested(8).to_arrow()),
        Some(nested(8))
    );
    assert_eq!(ValueType::from_arrow(&nested(9).to_arrow()), None);
    assert_eq!(
        ValueType::from_arrow(&ValueType::Row(Vec::new()).to_arrow()),
        None
    );
}

/// Numbers by chance, the same for the same seed (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

#[test]
fn whatever_a_guest_writes_is_an_error_or_a_sound_column() {
    let (mut sound, mut refused) = (0, 0);
    for seed in 1..=20_000_u64 {
        let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let column = if chance.below(2) == 0 {
            numbers()
        } else {
            rows()
        };
        let (mut memory, value_type) = memory(&column);
        for _ in 0..=chance.below(4) {
            let at = chance.below(memory.len() / 4 - 1) * 4;
            let odd = [
                0,
                1,
                2,
                3,
                5,
                16,
                40,
                0x7fff_ffff,
                0x8000_0000,
                u32::MAX - 1,
                u32::MAX,
            ];
            let value = match chance.below(4) {
                0 => odd[chance.below(odd.len())],
                1 => u32::try_from(chance.below(memory.len())).unwrap(),
                2 => word(&memory, at) ^ (1 << chance.below(32)),
                _ => word(&memory, chance.below(memory.len() / 4 - 1) * 4),
            };
            put(&mut memory, at, value);
        }
        match read(&memory, &value_type, column.len()) {
            Ok(given) => {
                sound += 1;
                assert_eq!(given.len(), column.len(), "seed {seed}");
                let valid = given.to_data().validate_full();
                assert!(valid.is_ok(), "seed {seed}: {valid:?}");
                assert_eq!(given.data_type(), &value_type.to_arrow(), "seed {seed}");
            }
            Err(_) => refused += 1,
        }
    }
    assert!(
        sound > 1_000 && refused > 1_000,
        "{sound} sound, {refused} refused"
    );
}
