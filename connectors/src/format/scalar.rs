//! Numbers, dates and times as text: parsing and writing them, the same way in every text format.

pub(crate) mod number;
pub(crate) mod time;
