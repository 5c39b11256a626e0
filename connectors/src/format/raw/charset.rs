//! Character sets.

/// How text is written in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    Ascii,
    Latin1,
    Utf16Be,
    Utf16Le,
}

impl Charset {
    /// The names in `raw.charset`.
    pub(super) const NAMES: &[(&str, Charset)] = &[
        ("UTF-8", Charset::Utf8),
        ("US-ASCII", Charset::Ascii),
        ("ISO-8859-1", Charset::Latin1),
        ("UTF-16BE", Charset::Utf16Be),
        ("UTF-16LE", Charset::Utf16Le),
    ];

    /// Appends `bytes` as UTF-8; an error says why they are not of the character set.
    pub(super) fn decode(self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
        match self {
            Charset::Utf8 => {
                simdutf8::basic::from_utf8(bytes).map_err(|_| "the text is not valid UTF-8")?;
                out.extend_from_slice(bytes);
            }
            Charset::Ascii if !bytes.is_ascii() => return Err("the text is not valid US-ASCII"),
            Charset::Ascii => out.extend_from_slice(bytes),
            Charset::Latin1 => {
                let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
                out.extend_from_slice(text.as_bytes());
            }
            Charset::Utf16Be => utf16(bytes, u16::from_be_bytes, out)?,
            Charset::Utf16Le => utf16(bytes, u16::from_le_bytes, out)?,
        }
        Ok(())
    }

    /// Appends `text` in the character set; an error says why it cannot hold it.
    pub(super) fn encode(self, text: &str, out: &mut Vec<u8>) -> Result<(), &'static str> {
        match self {
            Charset::Utf8 => out.extend_from_slice(text.as_bytes()),
            Charset::Ascii if !text.is_ascii() => return Err("a character is not in US-ASCII"),
            Charset::Ascii => out.extend_from_slice(text.as_bytes()),
            Charset::Latin1 => {
                for character in text.chars() {
                    let byte = u8::try_from(u32::from(character));
                    out.push(byte.map_err(|_| "a character is not in ISO-8859-1")?);
                }
            }
            Charset::Utf16Be => out.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
            Charset::Utf16Le => out.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
        }
        Ok(())
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("the text is not valid UTF-16: its length is odd");
    }
    let start = out.len();
    for character in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match character {
            Ok(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(_) => {
                out.truncate(start);
                return Err("the text is not valid UTF-16: half a surrogate pair");
            }
        }
    }
    Ok(())
}
