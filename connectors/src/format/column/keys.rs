//! From a key in the input to the column that it names.
//!
//! Programs write their records with the keys in one order. So what stood between two values of the
//! last record (comma, quotes, key, colon, blanks) predicts what stands there in the next: one
//! comparison of 16 bytes then does for all of the punctuation, for finding the key's end and for
//! looking it up. Keys that no column has are predicted as well.

use std::collections::HashMap;

/// Records with more keys, or longer ones, than this are looked up every time.
const MOST_STEPS: usize = 512;
const LONGEST_KEY: usize = 128;
/// Up to so many columns, comparing them one by one is faster than hashing.
const FEW: usize = 8;

/// What stood at one place in several records is remembered in so many forms.
const FORMS: usize = 4;

/// Finds columns by key.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    names: Vec<Box<str>>,
    /// Only where there are many.
    by_name: HashMap<Box<str>, usize, foldhash::fast::FixedState>,
    steps: Vec<Step>,
}

/// What stood before the values of one number in the last records; the last form first.
#[derive(Debug, Default)]
struct Step {
    forms: Vec<Form>,
}

/// What stood before a value.
#[derive(Debug)]
struct Form {
    /// The first 16 bytes of `text`, and which of them count.
    head: u128,
    mask: u128,
    text: Vec<u8>,
    child: Option<usize>,
    /// For a value that no column wants: what stood inside of it, if it was an object.
    inside: Option<Box<Keys>>,
}

/// What stands before a value: how many bytes of the input, and the column, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub len: usize,
    pub child: Option<usize>,
}

impl Keys {
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let names: Vec<Box<str>> = names.map(Box::from).collect();
        let by_name = match names.len() {
            0..=FEW => HashMap::default(),
            _ => names.iter().cloned().zip(0..).collect(),
        };
        Self {
            names,
            by_name,
            steps: Vec::new(),
        }
    }

    /// What stands before value number `step`, if `input` begins as the last record did there.
    #[inline(always)]
    pub(crate) fn predict(&self, step: usize, input: &[u8]) -> Option<Found> {
        self.steps.get(step)?.forms.first()?.matches(input)
    }

    /// The same for the records before the last one. What is found is expected next.
    pub(crate) fn recall(&mut self, step: usize, input: &[u8]) -> Option<Found> {
        let forms = &mut self.steps.get_mut(step)?.forms;
        let (place, found) = forms
            .iter()
            .enumerate()
            .find_map(|(i, form)| Some((i, form.matches(input)?)))?;
        forms.swap(0, place);
        Some(found)
    }

    /// What stands inside of the object that is value number `step`, which no column wants.
    pub(crate) fn inside(&mut self, step: usize) -> Option<&mut Keys> {
        let form = self.steps.get_mut(step)?.forms.first_mut()?;
        Some(form.inside.get_or_insert_default())
    }

    /// The column called `name`.
    pub(crate) fn find(&self, name: &[u8]) -> Option<usize> {
        if self.by_name.is_empty() {
            return self.names.iter().position(|n| n.as_bytes() == name);
        }
        let name = std::str::from_utf8(name).ok()?;
        self.by_name.get(name).copied()
    }

    /// Expects `text` before value number `step` of the next record.
    pub(crate) fn learn(&mut self, step: usize, text: &[u8], child: Option<usize>) {
        let usual = text.len() <= LONGEST_KEY && !text.contains(&b'\n');
        if step > self.steps.len() || step >= MOST_STEPS || !usual {
            return;
        }
        if step == self.steps.len() {
            self.steps.push(Step::default());
        }
        let Some(Step { forms }) = self.steps.get_mut(step) else {
            return;
        };
        // The form that was not seen for longest stands last, roughly; it gives way.
        forms.truncate(FORMS - 1);
        forms.insert(0, Form::new(text, child));
    }
}

impl Form {
    fn new(text: &[u8], child: Option<usize>) -> Self {
        let mut head = [0u8; 16];
        head.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
        let mask = match text.len() {
            0..16 => (1u128 << (8 * text.len())) - 1,
            _ => u128::MAX,
        };
        Self {
            head: u128::from_le_bytes(head),
            mask,
            text: text.to_vec(),
            child,
            inside: None,
        }
    }

    #[inline(always)]
    fn matches(&self, input: &[u8]) -> Option<Found> {
        let same = match input.first_chunk::<16>() {
            Some(head) if u128::from_le_bytes(*head) & self.mask != self.head => false,
            Some(_) if self.text.len() <= 16 => true,
            _ => input.starts_with(&self.text),
        };
        same.then_some(Found {
            len: self.text.len(),
            child: self.child,
        })
    }
}
