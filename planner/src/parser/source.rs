//! The text of a script and its positions.

use levada_language::error::Location;

/// A text whose lines are known.
pub(super) struct Source<'a> {
    text: &'a str,
    /// Byte offsets at which lines begin.
    line_starts: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(offset, _)| offset + 1);
        Self {
            text,
            line_starts: std::iter::once(0).chain(after_newlines).collect(),
        }
    }

    /// Where the text ends, blank space and comments at its end aside.
    pub(super) fn end(&self) -> Location {
        let trimmed = self.text.trim_end();
        let line = trimmed.matches('\n').count();
        let last = trimmed.rsplit('\n').next().unwrap_or(trimmed);
        Location {
            line: u32::try_from(line + 1).unwrap_or(u32::MAX),
            column: u32::try_from(last.chars().count() + 1).unwrap_or(u32::MAX),
        }
    }

    /// The text between two positions, the second exclusive.
    pub(super) fn slice(&self, start: Location, end: Location) -> &'a str {
        self.text
            .get(self.offset(start)..self.offset(end))
            .unwrap_or_default()
    }

    fn offset(&self, location: Location) -> usize {
        let line = (location.line as usize).saturating_sub(1);
        let Some(start) = self.line_starts.get(line).copied() else {
            return self.text.len();
        };
        let rest = self.text.get(start..).unwrap_or_default();
        let characters = (location.column as usize).saturating_sub(1);
        let within = rest
            .char_indices()
            .nth(characters)
            .map(|(offset, _)| offset);
        within.map_or(self.text.len(), |within| start + within)
    }
}
