//! The error of everything between SQL text and job graph.
//!
//! A [`PlanError`] says what is wrong, where in the SQL text, and what to do about it. Its
//! code is stable: scripts and documentation may refer to it. [`PlanError::render`] prints
//! the offending line with a caret.

mod datafusion;
mod syntax;
mod terms;
#[cfg(test)]
mod tests;

use std::fmt;

pub use terms::in_sql;

/// A position in SQL text. Both numbers count from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl Location {
    /// The first character of a text.
    pub const START: Location = Location { line: 1, column: 1 };

    /// Converts sqlparser's location, which uses line 0 for "unknown".
    pub fn from_sql(location: sqlparser::tokenizer::Location) -> Option<Self> {
        let line = u32::try_from(location.line).ok().filter(|line| *line > 0)?;
        let column = u32::try_from(location.column).ok()?;
        Some(Self { line, column })
    }

    /// Where `span` begins, if it is known.
    pub fn of(span: sqlparser::tokenizer::Span) -> Option<Self> {
        Self::from_sql(span.start)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// What went wrong, coarsely. Each kind has one stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PlanErrorKind {
    /// The text is not a statement of this dialect.
    Syntax,
    /// No table or view of that name.
    UnknownTable,
    /// No column or field of that name.
    UnknownColumn,
    /// No function of that name.
    UnknownFunction,
    /// An option that its owner does not have.
    UnknownOption,
    /// An option that must be given is missing.
    MissingOption,
    /// An option has a value that it cannot have.
    InvalidOption,
    /// A type does not fit where it is used.
    TypeMismatch,
    /// A name fits more than one thing.
    AmbiguousName,
    /// A name is taken already, or declared twice.
    DuplicateName,
    /// A construct that is understood but not supported.
    Unsupported,
    /// A type name that does not exist, or whose parameters are out of range.
    InvalidType,
    /// A watermark that cannot be used.
    InvalidWatermark,
    /// A window that cannot be used.
    InvalidWindow,
    /// No connector of that name.
    UnknownConnector,
    /// No format of that name.
    UnknownFormat,
    /// No configuration key, job, catalog or database of that name.
    UnknownName,
    /// A statement that is well formed and cannot be meant.
    InvalidStatement,
    /// A constant expression fails when it is evaluated.
    Evaluation,
    /// A defect of the planner itself.
    Internal,
}

impl PlanErrorKind {
    /// The stable code, such as `LV-1003`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Syntax => "LV-1001",
            Self::UnknownTable => "LV-1002",
            Self::UnknownColumn => "LV-1003",
            Self::UnknownFunction => "LV-1004",
            Self::UnknownOption => "LV-1005",
            Self::MissingOption => "LV-1006",
            Self::InvalidOption => "LV-1007",
            Self::TypeMismatch => "LV-1008",
            Self::AmbiguousName => "LV-1009",
            Self::DuplicateName => "LV-1010",
            Self::Unsupported => "LV-1011",
            Self::InvalidType => "LV-1012",
            Self::InvalidWatermark => "LV-1013",
            Self::InvalidWindow => "LV-1014",
            Self::UnknownConnector => "LV-1015",
            Self::UnknownFormat => "LV-1016",
            Self::UnknownName => "LV-1017",
            Self::InvalidStatement => "LV-1018",
            Self::Evaluation => "LV-1019",
            Self::Internal => "LV-1099",
        }
    }

    /// What the kind is called in front of people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Syntax => "syntax error",
            Self::UnknownTable => "unknown table",
            Self::UnknownColumn => "unknown column",
            Self::UnknownFunction => "unknown function",
            Self::UnknownOption => "unknown option",
            Self::MissingOption => "missing option",
            Self::InvalidOption => "invalid option",
            Self::TypeMismatch => "type mismatch",
            Self::AmbiguousName => "ambiguous name",
            Self::DuplicateName => "duplicate name",
            Self::Unsupported => "not supported",
            Self::InvalidType => "invalid type",
            Self::InvalidWatermark => "invalid watermark",
            Self::InvalidWindow => "invalid window",
            Self::UnknownConnector => "unknown connector",
            Self::UnknownFormat => "unknown format",
            Self::UnknownName => "unknown name",
            Self::InvalidStatement => "invalid statement",
            Self::Evaluation => "evaluation error",
            Self::Internal => "internal error",
        }
    }
}

/// An error with its position and advice. Cheap to move: one pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanError(Box<Content>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Content {
    kind: PlanErrorKind,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    location: Option<Location>,
}

impl PlanError {
    /// An error of `kind` whose `message` says what is wrong, in one sentence without a period.
    pub fn new(kind: PlanErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Content {
            kind,
            message: message.into(),
            detail: None,
            hint: None,
            location: None,
        }))
    }

    /// A construct that is understood but not supported; `construct` names it.
    pub fn unsupported(construct: impl fmt::Display, location: Option<Location>) -> Self {
        Self::new(
            PlanErrorKind::Unsupported,
            format!("{construct} is not supported"),
        )
        .at(location)
    }

    /// A defect of the planner, not of the statement.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(PlanErrorKind::Internal, message)
            .hint("this is a defect; please report it with the statement")
    }

    /// Adds what else is known.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the hint "did you mean …?" if one of `candidates` is near to `name`.
    #[must_use]
    pub fn suggest<'a>(self, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(name, candidates) {
            Some(candidate) => self.hint(format!("did you mean {candidate}?")),
            None => self,
        }
    }

    /// Sets the position, replacing an earlier one unless `location` is unknown.
    #[must_use]
    pub fn at(mut self, location: Option<Location>) -> Self {
        self.0.location = location.or(self.0.location);
        self
    }

    /// Sets the position unless there is one already.
    #[must_use]
    pub fn or_at(mut self, location: Option<Location>) -> Self {
        self.0.location = self.0.location.or(location);
        self
    }

    /// The error of a text that is not the statement's own: its position says nothing there, and
    /// `place` says where it is instead.
    #[must_use]
    pub fn from_elsewhere(mut self, place: &str) -> Self {
        self.0.location = None;
        self.0.detail = Some(match self.0.detail.take() {
            Some(detail) => format!("{place}; {detail}"),
            None => place.to_string(),
        });
        self
    }

    /// What went wrong, coarsely.
    pub fn kind(&self) -> PlanErrorKind {
        self.0.kind
    }

    /// The stable code, such as `LV-1003`.
    pub fn code(&self) -> &'static str {
        self.0.kind.code()
    }

    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What else is known.
    pub fn detail_text(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// What to do.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Where in the SQL text.
    pub fn location(&self) -> Option<Location> {
        self.0.location
    }

    /// The whole error for people: message, offending line of `sql` with a caret, detail, hint.
    ///
    /// `sql` is the text that the location refers to, normally the whole script.
    pub fn render(&self, sql: &str) -> String {
        let mut out = format!(
            "{} ({}): {}",
            self.code(),
            self.0.kind.title(),
            self.0.message
        );
        if let Some(location) = self.0.location {
            out.push_str(&format!("\n  at {location}"));
            if let Some(line) = (location.line as usize)
                .checked_sub(1)
                .and_then(|index| sql.lines().nth(index))
            {
                out.push_str(&render_line(location, line));
            }
        }
        if let Some(detail) = &self.0.detail {
            out.push_str(&format!("\n  detail: {detail}"));
        }
        if let Some(hint) = &self.0.hint {
            out.push_str(&format!("\n  hint: {hint}"));
        }
        out
    }
}

/// Two lines: the text with its line number, and a caret under the column.
fn render_line(location: Location, line: &str) -> String {
    let number = location.line.to_string();
    let before = (location.column as usize).saturating_sub(1);
    // Tabs stay tabs, so that the caret stands under its character whatever the tab width is.
    let indent: String = line
        .chars()
        .chain(std::iter::repeat(' '))
        .take(before)
        .map(|c| if c == '\t' { '\t' } else { ' ' })
        .collect();
    let gutter = " ".repeat(number.len());
    format!("\n  {number} | {line}\n  {gutter} | {indent}^")
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.0.message)?;
        if let Some(location) = self.0.location {
            write!(f, " ({location})")?;
        }
        if let Some(detail) = &self.0.detail {
            write!(f, "; {detail}")?;
        }
        if let Some(hint) = &self.0.hint {
            write!(f, "; hint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PlanError {}

/// The candidate nearest to `name`, if any is near enough to be a slip of the keyboard.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let limit = (wanted.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
