//! Rows by number: Arrow batches as they came, with a place for each row that is still there.
//!
//! A row that comes costs nothing but its number, since its batch is kept as it is, and rows that are
//! asked for are gathered column by column. Small batches are merged with neighbours of their size, so that a
//! row is copied a few times at most; a batch of which less than half is left is copied to its rest.

use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow::compute::interleave;
use arrow::datatypes::SchemaRef;

use crate::element::{Batch, rows_of};
use crate::error::{EngineError, Result};

/// In the place of a row, or of its number.
pub(in crate::operator) const NONE: u32 = u32::MAX;
/// A page of so many rows is merged with no other.
const PAGE_ROWS: usize = if cfg!(test) { 8 } else { 8192 };

/// Numbered rows of one schema.
pub(in crate::operator) struct Rows {
    schema: SchemaRef,
    pages: Vec<Option<Page>>,
    free_pages: Vec<u32>,
    /// Pages that are merged with others, from large to small.
    small: Vec<u32>,
    /// By number: the page and the row in it.
    places: Vec<(u32, u32)>,
    free: Vec<u32>,
    bytes: usize,
    /// Scratch: by page, its position among those that rows are gathered from.
    order: Vec<u32>,
}

struct Page {
    rows: RecordBatch,
    /// The number of each row; [`NONE`] of those that are gone.
    numbers: Vec<u32>,
    live: usize,
    bytes: usize,
}

impl Rows {
    pub(in crate::operator) fn new(schema: SchemaRef) -> Self {
        Rows {
            schema,
            pages: Vec::new(),
            free_pages: Vec::new(),
            small: Vec::new(),
            places: Vec::new(),
            free: Vec::new(),
            bytes: 0,
            order: Vec::new(),
        }
    }

    pub(in crate::operator) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Behind the highest number ever used.
    pub(in crate::operator) fn capacity(&self) -> usize {
        self.places.len()
    }

    /// Keeps rows, and appends their numbers.
    pub(in crate::operator) fn add(
        &mut self,
        rows: RecordBatch,
        numbers: &mut Vec<u32>,
    ) -> Result<()> {
        let count = rows.num_rows();
        if count == 0 {
            return Ok(());
        }
        if self.places.len() + count >= NONE as usize {
            return Err(EngineError::resource("one subtask keeps 4 billion rows"));
        }
        let first = numbers.len();
        for _ in 0..count {
            let number = self.free.pop().unwrap_or_else(|| {
                self.places.push((NONE, NONE));
                self.places.len() as u32 - 1
            });
            numbers.push(number);
        }
        let rows = match holds_more(&rows) {
            true => compact(&rows)?,
            false => rows,
        };
        let page = self.add_page(rows, numbers[first..].to_vec());
        self.small.push(page);
        self.merge_small()
    }

    /// Forgets a row. Its number is used again.
    pub(in crate::operator) fn remove(&mut self, number: u32) -> Result<()> {
        let (at, row) = std::mem::replace(&mut self.places[number as usize], (NONE, NONE));
        self.free.push(number);
        let Some(Some(page)) = self.pages.get_mut(at as usize) else {
            return Err(EngineError::internal("a row was removed twice"));
        };
        page.numbers[row as usize] = NONE;
        page.live -= 1;
        if page.live * 2 >= page.numbers.len() {
            return Ok(());
        }
        // Small pages are merged sooner or later.
        if page.live == 0 {
            self.drop_page(at);
        } else if page.numbers.len() >= PAGE_ROWS {
            let page = self.merged(&[at])?;
            self.small.push(page);
            let mut small = std::mem::take(&mut self.small);
            small.sort_by_key(|page| std::cmp::Reverse(self.live(*page)));
            self.small = small;
            self.merge_small()?;
        }
        Ok(())
    }

    /// The columns of some rows; NULL where there is [`NONE`].
    pub(in crate::operator) fn gather(&mut self, numbers: &[u32]) -> Result<Vec<ArrayRef>> {
        let all: Vec<usize> = (0..self.schema.fields().len()).collect();
        self.gather_some(numbers, &all)
    }

    /// Some of these columns.
    pub(in crate::operator) fn gather_some(
        &mut self,
        numbers: &[u32],
        columns: &[usize],
    ) -> Result<Vec<ArrayRef>> {
        self.order.clear();
        self.order.resize(self.pages.len(), NONE);
        let mut pages: Vec<&RecordBatch> = Vec::new();
        let mut places = Vec::with_capacity(numbers.len());
        for number in numbers {
            if *number == NONE {
                places.push((0, 0));
                continue;
            }
            let (at, row) = self.places[*number as usize];
            let order = &mut self.order[at as usize];
            if *order == NONE {
                let Some(Some(page)) = self.pages.get(at as usize) else {
                    return Err(EngineError::internal("a row is not there"));
                };
                *order = pages.len() as u32;
                pages.push(&page.rows);
            }
            // In front of the pages stands a NULL.
            places.push((*order as usize + 1, row as usize));
        }
        let column = |index: &usize| {
            let null = new_null_array(self.schema.field(*index).data_type(), 1);
            let pages = pages.iter().map(|page| page.column(*index).as_ref());
            let pages: Vec<&dyn Array> = std::iter::once(null.as_ref()).chain(pages).collect();
            Ok(interleave(&pages, &places)?)
        };
        columns.iter().map(column).collect()
    }

    /// About how many bytes a row has.
    pub(in crate::operator) fn row_bytes(&self) -> usize {
        self.bytes / (self.places.len() - self.free.len()).max(1)
    }

    /// Roughly the memory in use.
    pub(in crate::operator) fn size_bytes(&self) -> usize {
        self.bytes + self.places.capacity() * 8 + self.free.capacity() * 4
    }

    fn live(&self, page: u32) -> usize {
        let page = self.pages.get(page as usize).and_then(Option::as_ref);
        page.map_or(0, |page| page.live)
    }

    fn add_page(&mut self, rows: RecordBatch, numbers: Vec<u32>) -> u32 {
        let at = self.free_pages.pop().unwrap_or_else(|| {
            self.pages.push(None);
            self.pages.len() as u32 - 1
        });
        for (row, number) in (0..).zip(&numbers) {
            self.places[*number as usize] = (at, row);
        }
        let page = Page {
            bytes: Batch::inserts(rows.clone()).byte_size() + numbers.len() * 4,
            live: numbers.len(),
            rows,
            numbers,
        };
        self.bytes += page.bytes;
        self.pages[at as usize] = Some(page);
        at
    }

    fn drop_page(&mut self, at: u32) {
        if let Some(page) = self.pages[at as usize].take() {
            self.bytes -= page.bytes;
            self.free_pages.push(at);
            self.small.retain(|page| *page != at);
        }
    }

    /// Copies what is left of pages into one.
    fn merged(&mut self, pages: &[u32]) -> Result<u32> {
        let mut numbers = Vec::new();
        for at in pages {
            if let Some(Some(page)) = self.pages.get(*at as usize) {
                numbers.extend(page.numbers.iter().filter(|number| **number != NONE));
            }
        }
        let columns = self.gather(&numbers)?;
        let rows = rows_of(&self.schema, columns, numbers.len())?;
        for at in pages {
            self.drop_page(*at);
        }
        Ok(self.add_page(rows, numbers))
    }

    /// Merges pages at the end that are of about the same size.
    fn merge_small(&mut self) -> Result<()> {
        loop {
            match self.small.as_slice() {
                [.., last] if self.live(*last) >= PAGE_ROWS => {
                    self.small.pop();
                }
                [.., before, last] if self.live(*last) * 2 >= self.live(*before) => {
                    let page = self.merged(&[*before, *last])?;
                    self.small.push(page);
                }
                _ => return Ok(()),
            }
        }
    }
}

/// Whether rows are a small part of what they keep in memory.
fn holds_more(rows: &RecordBatch) -> bool {
    let own = Batch::inserts(rows.clone()).byte_size();
    rows.get_array_memory_size() > own * 2 + 4096
}

fn compact(rows: &RecordBatch) -> Result<RecordBatch> {
    let all = arrow::array::UInt32Array::from_iter_values(0..rows.num_rows() as u32);
    Ok(arrow::compute::take_record_batch(rows, &all)?)
}
