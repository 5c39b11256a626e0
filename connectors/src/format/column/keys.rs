//! From a key in the input to the column that it names.
//!
//! Programs write their records with the keys in one order. So what stood between two values of the
//! last record (comma, quotes, key, colon, blanks) predicts what stands there in the next: one
//! comparison of 16 bytes then does for all of the punctuation, for finding the key's end and for
//! looking it up. Keys that no column has are predicted as well.

use std::collections::HashMap;

#[cfg(test)]
mod tests;

/// Keys behind so many others, or longer ones, are looked up every time: memory for predictions is
/// bounded, whatever the input.
const MOST_STEPS: usize = 512;
const MOST_STEPS_INSIDE: usize = 64;
const LONGEST_KEY: usize = 128;
/// Of so many of a record's objects that no column wants, the inside is predicted.
const MOST_INSIDES: usize = 8;
/// Up to so many columns, comparing them one by one is faster than hashing.
const FEW: usize = 8;

/// What stood at one place in several records is remembered in so many forms.
const FORMS: usize = 4;

/// Finds columns by key.
#[derive(Debug)]
pub(crate) struct Keys {
    names: Vec<Box<str>>,
    /// Only where there are many.
    by_name: HashMap<Box<str>, usize, foldhash::fast::FixedState>,
    steps: Vec<Step>,
    most_steps: usize,
    insides: usize,
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
            most_steps: MOST_STEPS,
            insides: 0,
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

    /// What stands inside of the object that is value number `step`, which no column wants; `None` if
    /// it is not to be predicted.
    pub(crate) fn inside(&mut self, step: usize) -> Option<&mut Keys> {
        let form = self.steps.get_mut(step)?.forms.first_mut()?;
        if form.inside.is_none() {
            if self.insides == MOST_INSIDES {
                return None;
            }
            self.insides += 1;
        }
        Some(form.inside.get_or_insert_with(|| {
            let mut keys = Keys::new(std::iter::empty());
            keys.most_steps = MOST_STEPS_INSIDE;
            Box::new(keys)
        }))
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
        if step > self.steps.len() || step >= self.most_steps || !usual {
            return;
        }
        if step == self.steps.len() {
            self.steps.push(Step::default());
        }
        let Some(Step { forms }) = self.steps.get_mut(step) else {
            return;
        };
        // The form that was not seen for longest stands last, roughly; it gives way.
        let given_up = forms.drain(forms.len().min(FORMS - 1)..);
        self.insides -= given_up.filter(|form| form.inside.is_some()).count();
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
