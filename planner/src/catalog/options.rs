//! The options of a table, as its connector sees them.

use std::collections::BTreeMap;
use std::sync::Arc;

use levada_engine::connector::ConnectorRegistry;
use levada_engine::error::EngineError;

use super::Table;
use crate::parser::TableOption;
use levada_language::error::{Location, PlanError, PlanErrorKind, nearest};

/// Options by key.
pub(super) fn option_map(options: &[TableOption]) -> BTreeMap<String, String> {
    let pair = |option: &TableOption| (option.key.clone(), option.value.clone());
    options.iter().map(pair).collect()
}

/// Asks the connector whether the options make sense, for reading or for writing.
pub(super) fn check_connector(
    connectors: &ConnectorRegistry,
    table: &Table,
    options: &[TableOption],
    at: Option<Location>,
) -> Result<(), PlanError> {
    if table.option("connector").is_none() {
        let known = connectors.identifiers();
        return Err(PlanError::new(
            PlanErrorKind::MissingOption,
            format!("table {} has no option 'connector'", table.name),
        )
        .hint(format!(
            "add 'connector' = '…' to WITH; the connectors are: {}",
            known.join(", ")
        ))
        .at(at));
    }
    let source = table.source_descriptor();
    let convert = |error: EngineError| option_error(error, options, connectors, at);
    let factory = connectors.of_table(&source).map_err(convert)?;
    let Err(read) = factory.source(&source) else {
        return Ok(());
    };
    let Err(write) = factory.sink(&table.sink_descriptor()) else {
        return Ok(());
    };
    // A connector of one direction says so for the other; the useful message is the other one.
    let one_way = read.message.contains("cannot be read");
    Err(convert(if one_way { write } else { read }))
}

/// A connector's error about options as an error of the statement, at the option's position.
pub(crate) fn option_error(
    error: EngineError,
    options: &[TableOption],
    connectors: &ConnectorRegistry,
    otherwise: Option<Location>,
) -> PlanError {
    let message = error.message.as_str();
    let said = outside_quotes(message);
    let kind = match said.as_str() {
        m if m.contains("unknown connector") => PlanErrorKind::UnknownConnector,
        m if m.contains("unknown format") => PlanErrorKind::UnknownFormat,
        m if m.contains("unknown option") => PlanErrorKind::UnknownOption,
        m if m.contains("option") && m.contains("missing") => PlanErrorKind::MissingOption,
        _ => PlanErrorKind::InvalidOption,
    };
    let named = options
        .iter()
        .find(|o| message.contains(&format!("'{}'", o.key)));
    let valued = || {
        let about_value = matches!(
            kind,
            PlanErrorKind::UnknownConnector | PlanErrorKind::UnknownFormat
        );
        let fits = |o: &&TableOption| message.contains(&format!("'{}'", o.value));
        options
            .iter()
            .find(fits)
            .filter(|_| about_value)
            .and_then(|o| o.value_location)
    };
    let keyed = named.and_then(|o| o.key_location);
    let location = valued().or(keyed).or(otherwise);
    let mut converted = PlanError::new(kind, message).at(location);
    if let Some(detail) = &error.detail {
        converted = converted.detail(detail);
    }
    if kind == PlanErrorKind::UnknownConnector {
        let wanted = options
            .iter()
            .find(|o| o.key == "connector")
            .map(|o| o.value.as_str());
        let near = nearest(wanted.unwrap_or_default(), connectors.identifiers());
        if let Some(near) = near {
            return converted.hint(format!("did you mean '{near}'?"));
        }
    }
    match &error.hint {
        Some(hint) => converted.hint(hint),
        None => converted,
    }
}

/// A message without what it quotes: a name such as 'fail-on-missing-field' says nothing about
/// the kind of the error.
fn outside_quotes(message: &str) -> String {
    message
        .split('\'')
        .step_by(2)
        .collect::<Vec<_>>()
        .join("''")
}

/// A table with the options of a hint, which replace or extend its own.
///
/// # Errors
/// The hint would change the connector.
pub fn with_options(table: &Arc<Table>, options: &[TableOption]) -> Result<Arc<Table>, PlanError> {
    if options.is_empty() {
        return Ok(Arc::clone(table));
    }
    if let Some(option) = options.iter().find(|option| option.key == "connector") {
        return Err(PlanError::new(
            PlanErrorKind::InvalidOption,
            "the OPTIONS hint cannot change the connector",
        )
        .at(option.key_location));
    }
    let mut changed = table.as_ref().clone();
    changed.options.extend(option_map(options));
    Ok(Arc::new(changed))
}
