//! Where rows stand among others.

use arrow::array::ArrayRef;
use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};

use crate::error::{EngineError, Result};
use crate::graph::OrderColumn;
use crate::key::{canonical_floats, head};

/// What decides on the place of a row: first what the columns say, then when it came.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::operator) struct Place {
    /// The beginning of the encoded columns.
    head: u128,
    /// All of them, if that is more.
    rest: Option<Box<[u8]>>,
    /// Rises with the rows that come.
    pub(in crate::operator) id: u64,
}

impl Place {
    /// Whether the columns say the same.
    pub(in crate::operator) fn ties(&self, other: &Place) -> bool {
        (self.head, &self.rest) == (other.head, &other.rest)
    }

    /// The memory that it takes beside itself.
    pub(in crate::operator) fn heap_bytes(&self) -> usize {
        self.rest.as_ref().map_or(0, |rest| rest.len())
    }
}

/// Puts rows in order by some columns.
pub(in crate::operator) struct Order {
    /// The columns.
    pub(in crate::operator) columns: Vec<usize>,
    converter: RowConverter,
}

impl Order {
    pub(in crate::operator) fn new(columns: &[OrderColumn], schema: &SchemaRef) -> Result<Self> {
        let field = |order: &OrderColumn| {
            let field = schema.fields().get(order.column);
            let field =
                field.ok_or_else(|| EngineError::internal("rows are put in order by no column"))?;
            let options = SortOptions {
                descending: order.descending,
                nulls_first: order.nulls_first,
            };
            let data_type = field.data_type().clone();
            Ok(SortField::new_with_options(data_type, options))
        };
        let fields = columns.iter().map(field).collect::<Result<Vec<_>>>()?;
        Ok(Order {
            columns: columns.iter().map(|order| order.column).collect(),
            converter: RowConverter::new(fields)?,
        })
    }

    /// The places of rows, of which these are the columns; all with the id 0.
    pub(in crate::operator) fn places(
        &self,
        columns: &[ArrayRef],
        rows: usize,
    ) -> Result<Vec<Place>> {
        if columns.is_empty() {
            return Ok(vec![Place::default(); rows]);
        }
        // Zeros are equal, whatever their sign.
        let columns: Vec<ArrayRef> = columns.iter().map(canonical_floats).collect();
        let encoded = self.converter.convert_columns(&columns)?;
        let place = |bytes: &[u8]| Place {
            head: head(&[], bytes),
            rest: (bytes.len() > size_of::<u128>()).then(|| bytes.into()),
            id: 0,
        };
        Ok(encoded.iter().map(|row| place(row.as_ref())).collect())
    }
}
