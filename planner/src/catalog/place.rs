//! Where tables and views are.

use std::fmt;

/// The catalog that a session begins in.
pub const DEFAULT_CATALOG: &str = "default_catalog";
/// The database that a session begins in.
pub const DEFAULT_DATABASE: &str = "default_database";

/// A database of a catalog.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The catalog.
    pub catalog: String,
    /// The database.
    pub database: String,
}

impl Default for Place {
    fn default() -> Self {
        Place {
            catalog: DEFAULT_CATALOG.to_string(),
            database: DEFAULT_DATABASE.to_string(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.catalog, self.database)
    }
}

/// A table or a view by its full name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectPath {
    /// Where it is.
    pub place: Place,
    /// What it is called there.
    pub name: String,
}

/// The name alone in the database that sessions begin in, else the full name: what plans and
/// messages call it, and different for different objects.
impl fmt::Display for ObjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place == Place::default() {
            true => f.write_str(&self.name),
            false => write!(f, "{}.{}", self.place, self.name),
        }
    }
}
