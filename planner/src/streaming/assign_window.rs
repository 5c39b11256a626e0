//! AssignWindow: appends the columns of a window table function.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use levada_engine::graph::{DataTypeSpec, WindowKind, WindowSpec, WindowTime};

use super::expression::ExprRef;
use super::{Attribute, NodeId, Properties};
use levada_language::functions::window::{WINDOW_END, WINDOW_START, WINDOW_TIME};

/// Appends `window_start`, `window_end` and `window_time` to each row, once per window.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AssignWindow {
    /// The shape, with lengths in milliseconds.
    pub window: Shape,
    /// The event-time column of the input; `None` for processing time.
    pub time: Option<usize>,
    /// The type of the columns.
    pub time_type: DataType,
    /// What sessions are kept apart by, over the input.
    pub session_keys: Vec<ExprRef>,
}

/// [`WindowKind`] as something that can be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    kind: Name,
    size_ms: i64,
    slide_ms: i64,
    offset_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Name {
    Tumble,
    Hop,
    Cumulate,
    Session,
}

impl Shape {
    /// The shape that a node of the logical plan describes.
    pub fn of(node: &crate::logical::WindowTable) -> Self {
        use levada_language::functions::window::WindowKind as Kind;
        Shape {
            kind: match node.kind {
                Kind::Tumble => Name::Tumble,
                Kind::Hop => Name::Hop,
                Kind::Cumulate => Name::Cumulate,
                Kind::Session => Name::Session,
            },
            size_ms: node.size_ms,
            slide_ms: node.slide_ms,
            offset_ms: node.offset_ms,
        }
    }

    /// Windows of one millisecond: one for each distinct `window_time`.
    pub fn instant() -> Self {
        Shape {
            kind: Name::Tumble,
            size_ms: 1,
            slide_ms: 1,
            offset_ms: 0,
        }
    }

    /// Whether windows depend on the rows.
    pub fn is_session(self) -> bool {
        self.kind == Name::Session
    }

    /// The shape as the job graph writes it.
    pub fn spec(self) -> WindowKind {
        let (size_ms, offset_ms) = (self.size_ms, self.offset_ms);
        match self.kind {
            Name::Tumble => WindowKind::Tumble { size_ms, offset_ms },
            Name::Hop => WindowKind::Hop {
                slide_ms: self.slide_ms,
                size_ms,
                offset_ms,
            },
            Name::Cumulate => WindowKind::Cumulate {
                step_ms: self.slide_ms,
                size_ms,
                offset_ms,
            },
            Name::Session => WindowKind::Session { gap_ms: size_ms },
        }
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            Name::Tumble => write!(f, "TUMBLE(size={}ms", self.size_ms)?,
            Name::Hop => write!(f, "HOP(slide={}ms, size={}ms", self.slide_ms, self.size_ms)?,
            Name::Cumulate => {
                write!(
                    f,
                    "CUMULATE(step={}ms, size={}ms",
                    self.slide_ms, self.size_ms
                )?;
            }
            Name::Session => write!(f, "SESSION(gap={}ms", self.size_ms)?,
        }
        if self.offset_ms != 0 {
            write!(f, ", offset={}ms", self.offset_ms)?;
        }
        f.write_str(")")
    }
}

impl AssignWindow {
    /// What is known about the rows; `own` is the node's id.
    pub(super) fn properties(&self, input: &Properties, own: NodeId) -> Properties {
        let mut fields: Vec<Arc<Field>> = input.schema.fields().iter().cloned().collect();
        for name in [WINDOW_START, WINDOW_END, WINDOW_TIME] {
            fields.push(Arc::new(Field::new(name, self.time_type.clone(), false)));
        }
        let width = input.schema.fields().len();
        let mut attributes = input.attributes.clone();
        attributes.extend(window_attributes(self.time.is_some(), own));
        // A row that is in several windows appears once for each.
        let with_window =
            |key: &Vec<usize>| key.iter().copied().chain([width, width + 1]).collect();
        Properties {
            schema: Arc::new(Schema::new(fields)),
            attributes,
            keys: input.keys.iter().map(with_window).collect(),
            ..input.clone()
        }
    }

    /// The windows as the job graph writes them.
    pub fn spec(&self) -> WindowSpec {
        WindowSpec {
            kind: self.window.spec(),
            time: match self.time {
                Some(column) => WindowTime::Event { column },
                None => WindowTime::Processing,
            },
            time_type: DataTypeSpec(self.time_type.clone()),
        }
    }
}

/// What `window_start`, `window_end` and `window_time` say about time.
pub(super) fn window_attributes(event_time: bool, window: NodeId) -> [Attribute; 3] {
    match event_time {
        true => [
            Attribute::WindowStart(window),
            Attribute::WindowEnd(window),
            Attribute::WindowTime(window),
        ],
        false => [Attribute::None, Attribute::None, Attribute::ProcessingTime],
    }
}
