//! A table that is drawn again and again in place while its query runs.

use std::io::Write;

use arrow::datatypes::SchemaRef;
use levada_engine::element::Batch;
use levada_gateway::changelog::Materialized;

use super::table::{self, Layout, Options, Table};
use super::{End, Result, RowSink};

/// The size of a terminal, in characters.
pub type Size = (usize, usize);

/// Lines around the rows: three of the header, one at the end, "… rows above", progress.
const FRAME_LINES: usize = 6;

/// Which rows a view keeps.
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    /// Rows only come and never change, so old ones can be let go.
    pub append_only: bool,
    /// How many rows the last view shows at most; `None` shows all.
    pub most_rows: Option<usize>,
}

/// Keeps the rows of a changelog and draws the last of them.
pub struct Live<W: Write, S: Fn() -> Size> {
    out: W,
    size: S,
    options: Options,
    rows: Materialized,
    keep: Keep,
    /// How many rows were let go.
    forgotten: usize,
    /// How many lines the last drawing took.
    drawn: usize,
}

impl<W: Write, S: Fn() -> Size> Live<W, S> {
    /// A view of rows with this schema on a terminal whose columns and lines `size` tells.
    pub fn new(
        out: W,
        size: S,
        schema: SchemaRef,
        key: Option<Vec<usize>>,
        options: Options,
        keep: Keep,
    ) -> Result<Self> {
        Ok(Live {
            out,
            size,
            options,
            rows: Materialized::new(schema, key)?,
            keep,
            forgotten: 0,
            drawn: 0,
        })
    }

    fn draw(&mut self, progress: &str) -> Result<()> {
        let (width, height) = (self.size)();
        let room = height.saturating_sub(FRAME_LINES).max(1);
        let shown = Batch::inserts(self.rows.tail(room)?);
        let options = Options {
            total_width: Some(width),
            ..self.options
        };
        let header = table::header(self.rows.schema(), false);
        let cells = table::cells(&shown, &options);
        let layout = Layout::fit(self.rows.schema(), &header, &cells, &options);

        let mut lines = vec![layout.rule(), layout.line(&header), layout.rule()];
        let hidden = self.forgotten + self.rows.len() - shown.num_rows();
        if hidden > 0 {
            lines.push(format!("  … {hidden} rows above"));
        }
        lines.extend(cells.iter().map(|row| layout.line(row)));
        lines.push(layout.rule());
        lines.push(progress.to_string());

        let mut text = self.erasure();
        for line in &lines {
            // A line that wraps would be two lines for the terminal and one for the erasure.
            text.push_str(&table::truncate(line, width));
            text.push_str("\x1b[K\n");
        }
        self.drawn = lines.len();
        self.out.write_all(text.as_bytes())?;
        Ok(self.out.flush()?)
    }

    /// Moves to where the last drawing began and clears from there on.
    fn erasure(&self) -> String {
        match self.drawn {
            0 => String::new(),
            lines => format!("\x1b[{lines}A\r\x1b[J"),
        }
    }
}

impl<W: Write, S: Fn() -> Size> RowSink for Live<W, S> {
    fn batch(&mut self, batch: &Batch) -> Result<()> {
        self.rows.apply(batch)?;
        if self.keep.append_only
            && let Some(most) = self.keep.most_rows
            && self.rows.len() > 2 * most
        {
            self.forgotten += self.rows.forget_oldest(most);
        }
        Ok(())
    }

    fn tick(&mut self, progress: &str) -> Result<()> {
        self.draw(progress)
    }

    fn finish(&mut self, end: End) -> Result<()> {
        let erasure = self.erasure();
        self.out.write_all(erasure.as_bytes())?;
        self.drawn = 0;
        let (width, height) = (self.size)();
        let most = match (end, self.keep.most_rows) {
            (End::Complete, None) => self.rows.len(),
            (End::Complete, Some(most)) => most,
            _ => height.saturating_sub(FRAME_LINES).max(1),
        };
        let hidden = self.forgotten + self.rows.len().saturating_sub(most);
        if hidden > 0 {
            writeln!(self.out, "  … {hidden} rows above")?;
        }
        let options = Options {
            total_width: Some(width),
            ..self.options
        };
        let mut table = Table::new(&mut self.out, self.rows.schema().clone(), options);
        table.start_behind(hidden);
        match hidden {
            0 => {
                for rows in self.rows.batches()? {
                    table.batch(&Batch::inserts(rows?))?;
                }
            }
            _ => table.batch(&Batch::inserts(self.rows.tail(most)?))?,
        }
        table.finish(end)
    }

    fn draws_progress(&self) -> bool {
        true
    }
}
