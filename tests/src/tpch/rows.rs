//! The rows of the eight tables, as texts.

use std::fmt::Display;

use tpchgen::distribution::Distributions;
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator,
    PartSuppGenerator, RegionGenerator, SupplierGenerator,
};
use tpchgen::text::TextPool;

/// A table and its first rows.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The columns of its key.
    pub key: &'static [usize],
    /// Its rows, cell by cell.
    pub rows: Vec<Vec<String>>,
}

/// From how much text comments are cut; the default is 300 MB, which takes long to make.
const TEXT_BYTES: i32 = 8 << 20;

/// The eight tables.
pub fn tables(scale: f64) -> Vec<Table> {
    let words = Distributions::static_default();
    let text = TextPool::new(TEXT_BYTES, words);
    let (words, text) = (&words, &text);
    let table = |name, key, rows| Table { name, key, rows };
    let (part, parts) = (1, 1);
    vec![
        table(
            "region",
            &[0],
            cells(RegionGenerator::new_with_distributions_and_text_pool(words, text).iter()),
        ),
        table(
            "nation",
            &[0],
            cells(NationGenerator::new_with_distributions_and_text_pool(words, text).iter()),
        ),
        table(
            "supplier",
            &[0],
            cells(
                SupplierGenerator::new_with_distributions_and_text_pool(
                    scale, part, parts, words, text,
                )
                .iter(),
            ),
        ),
        table(
            "customer",
            &[0],
            cells(
                CustomerGenerator::new_with_distributions_and_text_pool(
                    scale, part, parts, words, text,
                )
                .iter(),
            ),
        ),
        table(
            "part",
            &[0],
            cells(
                PartGenerator::new_with_distributions_and_text_pool(
                    scale, part, parts, words, text,
                )
                .iter(),
            ),
        ),
        table(
            "partsupp",
            &[0, 1],
            cells(PartSuppGenerator::new_with_text_pool(scale, part, parts, text).iter()),
        ),
        table(
            "orders",
            &[0],
            cells(
                OrderGenerator::new_with_distributions_and_text_pool(
                    scale, part, parts, words, text,
                )
                .iter(),
            ),
        ),
        table(
            "lineitem",
            &[0, 3],
            cells(
                LineItemGenerator::new_with_distributions_and_text_pool(
                    scale, part, parts, words, text,
                )
                .iter(),
            ),
        ),
    ]
}

/// Rows are written as `cell|cell|…|`.
fn cells<R: Display>(rows: impl Iterator<Item = R>) -> Vec<Vec<String>> {
    rows.map(|row| {
        let line = row.to_string();
        let line = line.strip_suffix('|').unwrap_or(&line);
        line.split('|').map(str::to_string).collect()
    })
    .collect()
}
