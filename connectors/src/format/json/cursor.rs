//! Walking JSON text: tokens, and skipping of values that nobody asked for.
//!
//! Skipping checks the whole grammar (balance, commas, numbers, literals, escapes) and differs from
//! reading only in that nothing is kept; a row with damage in a field that no query reads is still a
//! bad row.

use super::escape;
use super::scan::string_stop;
use crate::format::fault::Fault;
use crate::format::scalar::number;

/// Values nested deeper than this are refused, whether they are wanted or not.
const DEEPEST: usize = 512;

/// A place in JSON text.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    /// The text, which may go on behind the row; valid UTF-8.
    pub bytes: &'a [u8],
    pub at: usize,
    /// Whether a row may contain line ends between its tokens (messages) or not (streams of lines).
    pub multiline: bool,
}

/// A string in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quoted<'a> {
    /// What stands between the quotes.
    pub raw: &'a [u8],
    pub escaped: bool,
    /// Where `raw` begins.
    pub at: usize,
}

type Result<T> = std::result::Result<T, Fault>;

/// Where the string at `at` ends, behind its quote, if there is one without escapes.
#[inline(always)]
pub(super) fn quick_string(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    let stop = string_stop(bytes, at + 1);
    (bytes.get(stop) == Some(&b'"')).then_some(stop + 1)
}

const POWERS_OF_TEN: [u64; 9] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
];

/// Where the integer at `at` ends, and its value, if there is one of up to 15 digits.
#[inline(always)]
pub(super) fn quick_integer(bytes: &[u8], at: usize) -> Option<(usize, i64)> {
    let negative = bytes.get(at) == Some(&b'-');
    let digits = at + usize::from(negative);
    let head = bytes.get(digits..)?.first_chunk::<8>()?;
    let (mut count, mut value) = number::leading_digits(*head);
    if count == 8 {
        let more = bytes.get(digits + 8..)?.first_chunk::<8>()?;
        let (more_count, more_value) = number::leading_digits(*more);
        value = value * POWERS_OF_TEN.get(more_count as usize)? + more_value;
        count += more_count;
    }
    let end = digits + count as usize;
    let superfluous_zero = head[0] == b'0' && count > 1;
    let ends = matches!(
        bytes.get(end),
        Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r')
    );
    if count == 0 || count == 16 || superfluous_zero || !ends {
        return None;
    }
    Some((
        end,
        if negative {
            -(value as i64)
        } else {
            value as i64
        },
    ))
}

impl<'a> Cursor<'a> {
    #[inline(always)]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The text from `start` to the cursor.
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    /// Passes blanks between tokens.
    #[inline(always)]
    pub(super) fn space(&mut self) {
        if let Some(0..=b' ') = self.peek() {
            self.more_space();
        }
    }

    fn more_space(&mut self) {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                Some(b'\n') if self.multiline => self.at += 1,
                _ => return,
            }
        }
    }

    /// Passes `byte`, if it comes next.
    #[inline(always)]
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// What was expected is not there.
    #[cold]
    pub(super) fn expected(&self, what: &str) -> Fault {
        let found = match self.peek() {
            None => "the row ends".to_string(),
            Some(b'\n') if !self.multiline => "the line ends".to_string(),
            Some(byte) if byte.is_ascii_graphic() => format!("there is '{}'", byte as char),
            Some(byte) if byte < 0x80 => format!("there is the byte 0x{byte:02x}"),
            Some(_) => "there is another character".to_string(),
        };
        Fault::syntax(self.at, format!("expected {what}, but {found}"))
    }

    /// Passes a string, the cursor being at its quote.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Result<Quoted<'a>> {
        let at = self.at + 1;
        let stop = string_stop(self.bytes, at);
        if self.bytes.get(stop) == Some(&b'"') {
            self.at = stop + 1;
            let raw = self.bytes.get(at..stop).unwrap_or_default();
            return Ok(Quoted {
                raw,
                escaped: false,
                at,
            });
        }
        self.long_string(at, stop)
    }

    /// Passes the rest of a string that stops at `stop` for another reason than its end.
    #[cold]
    #[inline(never)]
    fn long_string(&mut self, at: usize, mut stop: usize) -> Result<Quoted<'a>> {
        loop {
            self.at = stop;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    let raw = self.bytes.get(at..stop).unwrap_or_default();
                    return Ok(Quoted {
                        raw,
                        escaped: true,
                        at,
                    });
                }
                Some(b'\\') => stop = escape::check(self.bytes, stop)?,
                _ => return Err(self.expected("the end of a string, '\"'")),
            }
            stop = string_stop(self.bytes, stop);
        }
    }

    /// Passes a number and returns its text.
    #[inline]
    pub(super) fn number(&mut self) -> Result<&'a [u8]> {
        let start = self.at;
        if let Some((end, _)) = quick_integer(self.bytes, start) {
            self.at = end;
            return Ok(self.since(start));
        }
        self.any_number()
    }

    #[inline(never)]
    fn any_number(&mut self) -> Result<&'a [u8]> {
        let start = self.at;
        self.eat(b'-');
        let zero = self.peek() == Some(b'0');
        match self.digits() {
            0 => return Err(self.expected("a digit")),
            1 => {}
            _ if zero => return Err(Fault::syntax(start, "a number begins with a superfluous 0")),
            _ => {}
        }
        if self.eat(b'.') && self.digits() == 0 {
            return Err(self.expected("a digit after the decimal point"));
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.expected("a digit in the exponent"));
            }
        }
        Ok(self.since(start))
    }

    #[inline(always)]
    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        self.at - start
    }

    /// Passes `true`, `false` or `null`.
    pub(super) fn literal(&mut self, word: &str) -> Result<()> {
        match self.bytes.get(self.at..) {
            Some(rest) if rest.starts_with(word.as_bytes()) => {
                self.at += word.len();
                Ok(())
            }
            _ => Err(self.expected(word)),
        }
    }

    /// Passes any value.
    #[inline]
    pub(super) fn skip(&mut self) -> Result<()> {
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'{' | b'[') => self.skip_container(),
            _ => self.skip_scalar(),
        }
    }

    fn skip_scalar(&mut self) -> Result<()> {
        match self.peek() {
            Some(b'-' | b'0'..=b'9') => self.number().map(|_| ()),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => Err(self.expected("a value")),
        }
    }

    /// Passes an object or an array, with what is in it.
    fn skip_container(&mut self) -> Result<()> {
        let mut open = Nesting::default();
        loop {
            // The cursor is where a value begins.
            match self.peek() {
                Some(b'{') => {
                    self.at += 1;
                    open.enter(true, self.at)?;
                    self.space();
                    if !self.eat(b'}') {
                        self.skip_key()?;
                        continue;
                    }
                    open.leave();
                }
                Some(b'[') => {
                    self.at += 1;
                    open.enter(false, self.at)?;
                    self.space();
                    if !self.eat(b']') {
                        continue;
                    }
                    open.leave();
                }
                Some(b'"') => self.string().map(|_| ())?,
                _ => self.skip_scalar()?,
            }
            if self.close(&mut open)? {
                return Ok(());
            }
        }
    }

    /// Behind a value: passes the ends of containers up to the comma before the next value; `true`
    /// if all are closed.
    fn close(&mut self, open: &mut Nesting) -> Result<bool> {
        loop {
            let Some(object) = open.in_object() else {
                return Ok(true);
            };
            self.space();
            if self.eat(b',') {
                self.space();
                if object {
                    self.skip_key()?;
                }
                return Ok(false);
            }
            match object {
                true if self.eat(b'}') => open.leave(),
                false if self.eat(b']') => open.leave(),
                true => return Err(self.expected("',' or '}'")),
                false => return Err(self.expected("',' or ']'")),
            }
        }
    }

    fn skip_key(&mut self) -> Result<()> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a key in double quotes"));
        }
        self.string()?;
        self.colon()
    }

    /// Passes the colon behind a key, and the blanks around it.
    #[inline]
    pub(super) fn colon(&mut self) -> Result<()> {
        self.space();
        if !self.eat(b':') {
            return Err(self.expected("':'"));
        }
        self.space();
        Ok(())
    }
}

/// The containers around a place, a bit for each: whether it is an object.
#[derive(Debug, Default)]
struct Nesting {
    objects: [u64; DEEPEST / 64],
    depth: usize,
}

impl Nesting {
    fn enter(&mut self, object: bool, at: usize) -> Result<()> {
        let Some(word) = self.objects.get_mut(self.depth / 64) else {
            return Err(too_deep(at));
        };
        let bit = 1 << (self.depth % 64);
        *word = if object { *word | bit } else { *word & !bit };
        self.depth += 1;
        Ok(())
    }

    fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Whether the innermost container is an object; `None` outside of all.
    fn in_object(&self) -> Option<bool> {
        let innermost = self.depth.checked_sub(1)?;
        let word = self.objects.get(innermost / 64)?;
        Some(word & (1 << (innermost % 64)) != 0)
    }
}

fn too_deep(at: usize) -> Fault {
    Fault::syntax(at, format!("values are nested more than {DEEPEST} deep"))
}
