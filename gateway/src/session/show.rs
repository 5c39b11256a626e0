//! SHOW.

use levada_language::{PlanError, PlanErrorKind};
use levada_planner::catalog::{self, Object, Place};
use levada_planner::parser::{Listing, NamePattern, Show};
use sqlparser::ast::{Ident, ObjectName};

use super::Session;
use crate::config::Configuration;
use crate::error::{Error, Result};
use crate::outcome::{Outcome, text_table};

impl Session {
    pub(super) async fn show(&self, show: &Show) -> Result<Outcome> {
        let lookup = self.planning.lookup();
        match show {
            Show::Tables(listing) => self.objects("table name", listing, |_| true),
            Show::Views(listing) => self.objects("view name", listing, |object| {
                matches!(object, Object::View(_))
            }),
            Show::MaterializedViews(like) => self.materialized_views(like.as_ref()).await,
            Show::Functions(like) => list("function name", self.planning.functions(), like),
            Show::UserFunctions(like) => {
                list("function name", self.planning.user_functions(), like)
            }
            Show::CreateFunction(name) => match lookup.function(name, false)? {
                Some(function) => Ok(Outcome::Text(function.create_sql())),
                None => Err(lookup.unknown_function(name).into()),
            },
            Show::Jobs => self.jobs().await,
            Show::Catalogs(like) => list("catalog name", lookup.catalogs().names(), like),
            Show::CurrentCatalog => {
                let name = lookup.place().catalog.clone();
                list("current catalog name", [name], &None)
            }
            Show::Databases(listing) => self.databases(listing),
            Show::CurrentDatabase => {
                let name = lookup.place().database.clone();
                list("current database name", [name], &None)
            }
            Show::Columns(name, like) => self.columns(name, like.as_ref()),
            Show::CreateMaterializedView(name) => match lookup.find(name)? {
                (_, Object::Table(table)) if table.is_materialized_view() => {
                    let sql = catalog::create_materialized_view_sql(&table);
                    Ok(Outcome::Text(sql))
                }
                (found, object) => Err(wrong_kind(&found.to_string(), object.kind(), name)),
            },
            Show::CreateTable(name) => match lookup.find(name)? {
                (found, Object::Table(table)) if table.is_materialized_view() => {
                    Err(wrong_kind(&found.to_string(), "materialized view", name))
                }
                (_, Object::Table(table)) => Ok(Outcome::Text(catalog::create_table_sql(&table))),
                (found, Object::View(_)) => Err(wrong_kind(&found.to_string(), "view", name)),
            },
            Show::CreateView(name) => match lookup.find(name)? {
                (_, Object::View(view)) => Ok(Outcome::Text(catalog::create_view_sql(&view))),
                (found, Object::Table(_)) => Err(wrong_kind(&found.to_string(), "table", name)),
            },
            Show::CreateCatalog(name) => {
                let (name, entry) = lookup.catalog(name)?;
                Ok(Outcome::Text(catalog::create_catalog_sql(&name, &entry)))
            }
        }
    }

    fn objects(
        &self,
        title: &str,
        listing: &Listing,
        keep: impl Fn(&Object) -> bool,
    ) -> Result<Outcome> {
        let lookup = self.planning.lookup();
        let place: Place = match &listing.from {
            Some(database) => lookup.database(database)?,
            None => lookup.place().as_ref().clone(),
        };
        let catalogs = lookup.catalogs();
        let names = catalogs.objects(&place).into_iter().filter(|name| {
            let path = catalog::ObjectPath {
                place: place.clone(),
                name: name.clone(),
            };
            catalogs.get(&path).is_some_and(|object| keep(&object))
        });
        list(title, names, &listing.like)
    }

    fn databases(&self, listing: &Listing) -> Result<Outcome> {
        let lookup = self.planning.lookup();
        let catalog = match &listing.from {
            Some(name) => single(name)?,
            None => Ident::new(&lookup.place().catalog),
        };
        let (_, entry) = lookup.catalog(&catalog)?;
        list("database name", entry.catalog.databases(), &listing.like)
    }
}

/// The name of a catalog, which has one part.
fn single(name: &ObjectName) -> Result<Ident> {
    let only = match name.0.as_slice() {
        [only] => only.as_ident(),
        _ => None,
    };
    match only {
        Some(ident) => Ok(ident.clone()),
        None => Err(PlanError::new(
            PlanErrorKind::Syntax,
            format!("{name} has too many parts for the name of a catalog"),
        )
        .at(catalog::location_of(name))
        .into()),
    }
}

/// The answer of SET without a name.
pub(super) fn configuration(configuration: &Configuration) -> Result<Outcome> {
    let rows = configuration
        .entries()
        .map(|(name, value)| vec![Some(name.to_string()), Some(value.to_string())]);
    text_table(&["name", "value"], rows)
}

fn list(
    title: &str,
    names: impl IntoIterator<Item = String>,
    like: &Option<NamePattern>,
) -> Result<Outcome> {
    let wanted = |name: &String| like.as_ref().is_none_or(|like| like.accepts(name));
    let names = names.into_iter().filter(wanted);
    text_table(&[title], names.map(|name| vec![Some(name)]))
}

fn wrong_kind(name: &str, kind: &str, written: &ObjectName) -> Error {
    PlanError::new(
        PlanErrorKind::InvalidStatement,
        format!("{name} is a {kind}"),
    )
    .hint(format!("use SHOW CREATE {}", kind.to_ascii_uppercase()))
    .at(catalog::location_of(written))
    .into()
}
