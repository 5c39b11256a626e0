//! Sources: the spec of a scan.

use levada_engine::graph::{SourceSpec, WatermarkSpec, WireSchema};

use super::operators::encode;
use super::settings::{PlanningSettings, invalid, parse_millis};
use crate::catalog::Table;
use crate::streaming::{Read, Scan};
use levada_language::error::PlanError;

/// What the source of a scan does.
pub(super) fn source_spec(
    scan: &Scan,
    planning: &PlanningSettings,
) -> Result<SourceSpec, PlanError> {
    let Some(read) = &scan.read else {
        return Err(PlanError::internal("a scan was not pruned"));
    };
    let table = &scan.table;
    let compute = match &read.compute {
        Some(exprs) => Some(exprs.iter().map(encode).collect::<Result<Vec<_>, _>>()?),
        None => None,
    };
    Ok(SourceSpec {
        table: table.source_descriptor(),
        read_schema: WireSchema(read.schema.clone()),
        compute,
        watermark: watermark(read, table, planning)?,
        bounded: scan.bounded,
        divert_late: table.option("late-rows.table").is_some() && read.watermark.is_some(),
        divert_bad: table.option("bad-rows.table").is_some(),
        mode: scan.mode,
    })
}

fn watermark(
    read: &Read,
    table: &Table,
    planning: &PlanningSettings,
) -> Result<Option<WatermarkSpec>, PlanError> {
    let Some((column, expression)) = &read.watermark else {
        return Ok(None);
    };
    let idle_timeout_ms = millis(table, "scan.watermark.idle-timeout")?;
    let max_drift_ms = millis(table, "scan.watermark.alignment.max-drift")?;
    Ok(Some(WatermarkSpec {
        column: *column,
        expression: encode(expression)?,
        idle_timeout_ms: idle_timeout_ms.unwrap_or(planning.idle_timeout_ms),
        max_drift_ms: max_drift_ms.map(|drift| i64::try_from(drift).unwrap_or(i64::MAX)),
    }))
}

fn millis(table: &Table, key: &str) -> Result<Option<u64>, PlanError> {
    let Some(value) = table.option(key) else {
        return Ok(None);
    };
    match parse_millis(value) {
        Some(millis) => Ok(Some(millis)),
        None => Err(
            invalid(key, value, "a duration such as '10 s', '500 ms' or '1 min'")
                .detail(format!("in the options of table {}", table.name)),
        ),
    }
}

/// `scan.parallelism` or `sink.parallelism` of a table.
pub(super) fn parallelism(table: &Table, key: &str) -> Result<Option<u32>, PlanError> {
    let Some(value) = table.option(key) else {
        return Ok(None);
    };
    match value.trim().parse::<u32>() {
        Ok(parallelism) if parallelism > 0 => Ok(Some(parallelism)),
        _ => Err(invalid(key, value, "a whole number of at least 1")
            .detail(format!("in the options of table {}", table.name))),
    }
}
