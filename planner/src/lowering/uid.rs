//! Operator ids: derived from what an operator does and what its inputs do.
//!
//! An id must not change when a query is edited elsewhere, when parallelism changes, or when
//! another query in the same job makes a shared source read more. So expressions count by their
//! text without column positions, a source by its table, and a sink by its table. Where an edit does
//! change an operator or what is in front of it, its state finds it by the coarse id of its
//! [`lineage`](super::lineage).

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64;

/// Hands out ids that are unique within a job.
#[derive(Debug, Default)]
pub(super) struct Uids {
    taken: BTreeMap<String, u32>,
}

impl Uids {
    /// The id of an operator that does `content` with the rows of `inputs`.
    pub(super) fn derive(&mut self, content: &str, inputs: &[&str]) -> String {
        let mut text = content.to_string();
        for input in inputs {
            text.push('\u{1f}');
            text.push_str(input);
        }
        let id = format!("{:016x}", xxh3_64(text.as_bytes()));
        // Operators that do the same are told apart by their order, which is the statement's.
        let count = self.taken.entry(id.clone()).or_insert(0);
        *count += 1;
        match count {
            1 => id,
            n => format!("{id}-{n}"),
        }
    }
}
