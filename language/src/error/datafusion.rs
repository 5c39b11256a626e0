//! DataFusion's errors, told in this crate's words.
//!
//! DataFusion reports names that it cannot resolve as structured errors, with spans when
//! `collect_spans` is on; everything else is a sentence, of which the advice meant for
//! developers is dropped.

mod wording;

use datafusion::common::{Diagnostic, SchemaError};
use datafusion::error::DataFusionError;

use super::{Location, PlanError, PlanErrorKind};

impl From<DataFusionError> for PlanError {
    fn from(error: DataFusionError) -> Self {
        convert(&error)
    }
}

impl From<PlanError> for DataFusionError {
    fn from(error: PlanError) -> Self {
        DataFusionError::External(Box::new(error))
    }
}

/// What DataFusion writes in front of our own errors about the types of arguments, which it passes
/// on as text.
const MISMATCH: &str = "user-defined coercion failed with: External error: LV-1008: ";

fn from_mismatch(text: &str) -> PlanError {
    let own = text.split_once(MISMATCH).map_or(text, |(_, own)| own);
    let own = own.lines().next().unwrap_or(own);
    let (message, hint) = match own.split_once("; hint: ") {
        Some((message, hint)) => (message, Some(hint)),
        None => (own, None),
    };
    let message = message
        .split(" No function matches")
        .next()
        .unwrap_or(message);
    let error = PlanError::new(PlanErrorKind::TypeMismatch, message);
    match hint.and_then(|hint| hint.split(" No function matches").next()) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

fn convert(error: &DataFusionError) -> PlanError {
    match error {
        DataFusionError::Diagnostic(diagnostic, inner) => {
            with_diagnostic(convert(inner), diagnostic)
        }
        DataFusionError::Context(_, inner) => convert(inner),
        DataFusionError::Shared(inner) => convert(inner),
        DataFusionError::Collection(errors) => match errors.first() {
            Some(first) => convert(first),
            None => PlanError::internal("planning failed without a reason"),
        },
        DataFusionError::External(inner) => match inner.downcast_ref::<PlanError>() {
            Some(own) => own.clone(),
            None => match inner.downcast_ref::<DataFusionError>() {
                Some(nested) => convert(nested),
                None => PlanError::new(PlanErrorKind::InvalidStatement, inner.to_string()),
            },
        },
        DataFusionError::SchemaError(schema, _) => from_schema(schema),
        DataFusionError::NotImplemented(text) => {
            let text = sentence(text);
            let plain = || PlanError::new(PlanErrorKind::Unsupported, &text);
            wording::reword(&text).unwrap_or_else(plain)
        }
        DataFusionError::Plan(text) | DataFusionError::Execution(text)
            if text.contains(MISMATCH) =>
        {
            from_mismatch(text)
        }
        DataFusionError::Plan(text) => from_plan(text),
        DataFusionError::ArrowError(inner, _) => {
            let text = inner.to_string();
            let text = text
                .trim_start_matches("Arithmetic overflow: ")
                .trim_start_matches("Invalid argument error: ");
            evaluation(&sentence(text))
        }
        DataFusionError::Execution(text) => evaluation(&sentence(text)),
        DataFusionError::Internal(text) => PlanError::internal(sentence(text)),
        DataFusionError::SQL(inner, _) => PlanError::from((**inner).clone()),
        DataFusionError::Configuration(text) => {
            PlanError::new(PlanErrorKind::InvalidOption, sentence(text))
        }
        other => PlanError::new(
            PlanErrorKind::InvalidStatement,
            sentence(&other.strip_backtrace()),
        ),
    }
}

fn evaluation(text: &str) -> PlanError {
    let plain = || PlanError::new(PlanErrorKind::Evaluation, text);
    wording::reword(text).unwrap_or_else(plain)
}

fn with_diagnostic(error: PlanError, diagnostic: &Diagnostic) -> PlanError {
    let location = diagnostic.span.and_then(|span| {
        Some(Location {
            line: u32::try_from(span.start.line).ok()?,
            column: u32::try_from(span.start.column).ok()?,
        })
    });
    error.or_at(location)
}

fn from_schema(error: &SchemaError) -> PlanError {
    match error {
        SchemaError::FieldNotFound {
            field,
            valid_fields,
        } => {
            let shown = match &field.relation {
                Some(relation) => format!("{relation}.{}", field.name),
                None => field.name.clone(),
            };
            let names: Vec<&str> = valid_fields
                .iter()
                .map(|column| column.name.as_str())
                .collect();
            let wanted = field.name.to_lowercase();
            let mut fits: Vec<&str> = names.clone();
            fits.retain(|name| name.to_lowercase() == wanted);
            fits.sort_unstable();
            fits.dedup();
            if fits.len() > 1 {
                return PlanError::new(
                    PlanErrorKind::AmbiguousName,
                    format!("column {shown} can be {}", fits.join(" or ")),
                )
                .hint("write it in its exact case");
            }
            let error = PlanError::new(
                PlanErrorKind::UnknownColumn,
                format!("column {shown} does not exist"),
            );
            let error = if names.is_empty() {
                error
            } else {
                error.detail(format!("columns in scope: {}", list(&names)))
            };
            let here = valid_fields
                .iter()
                .find(|column| column.name.to_lowercase() == wanted);
            match here.and_then(|column| column.relation.as_ref()) {
                // The column is there; what stands in front of it is not.
                Some(relation) if field.relation.is_some() => error.hint(format!(
                    "did you mean {relation}.{}?",
                    fits.first().unwrap_or(&field.name.as_str())
                )),
                _ => error.suggest(&field.name, names),
            }
        }
        SchemaError::AmbiguousReference { field } => PlanError::new(
            PlanErrorKind::AmbiguousName,
            format!("column {} is ambiguous", field.name),
        )
        .hint("put the table's name or alias in front of it"),
        SchemaError::DuplicateQualifiedField { qualifier, name } => PlanError::new(
            PlanErrorKind::DuplicateName,
            format!("column {qualifier}.{name} appears twice"),
        )
        .hint("give one of them an alias with AS"),
        SchemaError::DuplicateUnqualifiedField { name } => PlanError::new(
            PlanErrorKind::DuplicateName,
            format!("column {name} appears twice"),
        )
        .hint("give one of them an alias with AS"),
    }
}

fn from_plan(text: &str) -> PlanError {
    let text = sentence(text);
    if let Some(rest) = text.strip_prefix("Invalid function '") {
        let name = rest.split('\'').next().unwrap_or(rest);
        let error = PlanError::new(
            PlanErrorKind::UnknownFunction,
            format!("function {name} does not exist"),
        );
        let near = rest
            .rsplit_once("Did you mean '")
            .and_then(|(_, tail)| tail.split('\'').next());
        return match near.and_then(|near| super::nearest(name, [near])) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error.hint("SHOW FUNCTIONS lists the functions"),
        };
    }
    let known = wording::reword(&text);
    if let Some(refused) = known
        .or_else(|| about_arguments(&text))
        .or_else(|| about_names(&text))
    {
        return refused;
    }
    let lower = text.to_lowercase();
    if lower.starts_with("table '") && lower.contains("not found") {
        return PlanError::new(PlanErrorKind::UnknownTable, text);
    }
    let about_types = [
        "coerce",
        "cannot infer common",
        "data type",
        "argument types",
        "signature",
    ];
    if about_types.iter().any(|words| lower.contains(words)) {
        return PlanError::new(PlanErrorKind::TypeMismatch, text);
    }
    PlanError::new(PlanErrorKind::InvalidStatement, text)
}

/// A function whose arguments do not fit, without DataFusion's list of signatures.
fn about_arguments(text: &str) -> Option<PlanError> {
    let (_, named) = text.split_once("Function '")?;
    let (name, said) = named.split_once('\'')?;
    let name = name.to_uppercase();
    let message = if said.contains("failed to match any signature") {
        match said
            .split_once("(DataType: ")
            .and_then(|(_, t)| t.split_once(")."))
        {
            Some((given, _)) => format!("{name} does not take {given}"),
            None => format!("{name} does not take arguments of these types"),
        }
    } else {
        let (said, _) = said
            .split_once(". ")
            .or_else(|| said.split_once(", but no"))?;
        format!("{name}{said}")
    };
    let error = PlanError::new(PlanErrorKind::TypeMismatch, message);
    Some(match said.contains("failed to match any signature") {
        true => error.hint("use CAST(… AS …) to give it a value of a type that it takes"),
        false => error,
    })
}

/// Two columns of one name.
fn about_names(text: &str) -> Option<PlanError> {
    let rest = text.strip_prefix("Projections require unique expression names")?;
    let name = rest.split('"').nth(1)?;
    let name = name.rsplit('.').next().unwrap_or(name);
    let error = PlanError::new(
        PlanErrorKind::DuplicateName,
        format!("two columns of the result are called {name}"),
    );
    Some(error.hint("give one of them an alias with AS"))
}

/// The first paragraph of a message, without prefixes and advice for developers.
fn sentence(text: &str) -> String {
    let text = text.split("\n\nbacktrace:").next().unwrap_or(text);
    let text = text
        .split("This issue was likely caused by a bug")
        .next()
        .unwrap_or(text);
    let text = text.strip_prefix("Error during planning: ").unwrap_or(text);
    wording::without_dump(&super::terms::in_sql(text.trim().trim_end_matches('.')))
}

fn list(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    let mut text = names
        .iter()
        .take(SHOWN)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}
