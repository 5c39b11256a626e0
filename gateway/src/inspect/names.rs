//! What the tables of operators' state are called.

use std::collections::{BTreeMap, BTreeSet};

use levada_engine::checkpoint::Manifest;
use levada_engine::operator::inspect::{Contents, StateTable, identifier, tables, unique};

use super::View;

/// How much of a uid tells two operators apart at least.
const SHORTEST_UID: usize = 4;

/// A table of an operator's state.
pub(super) struct Named<'m> {
    pub(super) name: String,
    pub(super) uid: &'m str,
    pub(super) operator: &'m str,
    pub(super) table: StateTable,
}

impl Named<'_> {
    /// What it has a row for.
    pub(super) fn what(&self) -> String {
        match self.table.contents() {
            Contents::Groups => "groups: keys and what was accumulated".to_string(),
            Contents::Set(calls) => format!("distinct values for {}", calls.join(", ")),
            Contents::Watermarks => "watermarks of key groups".to_string(),
            Contents::Entries => "all entries, as bytes".to_string(),
        }
    }
}

/// The tables of all operators that have keyed state. The names of those of one operator begin with the
/// same: its name, and enough of its uid where others have the same name.
pub(super) fn named(manifest: &Manifest) -> Vec<Named<'_>> {
    let keyed = manifest.operators.iter();
    let keyed = keyed.filter(|(_, state)| !state.keyed.is_empty() || !state.layouts.is_empty());
    let mut by_name: BTreeMap<String, Vec<(&str, &_)>> = BTreeMap::new();
    for (uid, state) in keyed {
        let of_name = by_name.entry(identifier(&state.name)).or_default();
        of_name.push((uid.as_str(), state));
    }
    let mut taken: BTreeSet<String> = View::ALL.map(|view| view.name().to_string()).into();
    let mut all = Vec::new();
    for (name, operators) in &by_name {
        let uids: Vec<&str> = operators.iter().map(|(uid, _)| *uid).collect();
        let length = distinct_length(&uids);
        for (uid, state) in operators {
            let start: String = uid.chars().take(length).collect();
            let base = match uids.as_slice() {
                [_] => name.clone(),
                _ => format!("{name}_{}", identifier(&start)),
            };
            for table in tables(&state.name, &state.layouts) {
                all.push(Named {
                    name: unique(&mut taken, &table_name(&base, table.contents())),
                    uid,
                    operator: &state.name,
                    table,
                });
            }
        }
    }
    all
}

fn table_name(base: &str, contents: &Contents) -> String {
    match contents {
        Contents::Groups => base.to_string(),
        Contents::Set(calls) => {
            let first = calls.first().map_or("set", String::as_str);
            format!("{base}_{}", identifier(first))
        }
        Contents::Watermarks => format!("{base}_watermarks"),
        Contents::Entries => format!("{base}_entries"),
    }
}

/// How many of the first characters tell uids apart.
fn distinct_length(uids: &[&str]) -> usize {
    let longest = uids.iter().map(|uid| uid.chars().count()).max();
    let apart = |length: &usize| {
        let starts: BTreeSet<String> = uids
            .iter()
            .map(|uid| uid.chars().take(*length).collect())
            .collect();
        starts.len() == uids.len()
    };
    let longest = longest.unwrap_or_default();
    (SHORTEST_UID..longest).find(apart).unwrap_or(longest)
}
