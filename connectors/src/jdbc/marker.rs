//! The table `levada_commits`, by which the database knows what is already written.
//!
//! It stands in the schema of the table that is written, and has a row for each run of a sink
//! (`lineage`) that wrote something: the last checkpoint whose rows are in. That row is changed in
//! the transaction that writes the rows, so that both are there or neither is.
//!
//! - Rows of a checkpoint are out if and only if the row of **their** lineage says so; other jobs,
//!   and other runs of the same job, have lineages of their own and do not interfere.
//! - A run that takes over closes the lineage whose rows it was given. What still runs of the earlier
//!   one can then write nothing more: its next transaction finds the row closed and gives up.
//!
//! Old rows do no harm. Once no checkpoint is left that a job could be started from, the table may
//! be emptied.

use levada_engine::EngineError;
use levada_engine::failpoint::{Failpoint, Failpoints};
use tokio_postgres::Client;

use super::catalog::Target;
use super::committable::Epoch;
use super::config::quote;
use super::failure::Failure;
use super::sink::{column_list, copy};
use super::types::Direction;

const TABLE: &str = "levada_commits";

/// The marker table's name as SQL.
fn table(target: &Target) -> String {
    match &target.name.schema {
        Some(schema) => format!("{}.{TABLE}", quote(schema)),
        None => TABLE.to_string(),
    }
}

/// Creates the table if it is not there.
pub(super) async fn create(client: &Client, target: &Target) -> Result<(), Failure> {
    let table = table(target);
    let found = client
        .query_one("SELECT to_regclass($1) IS NOT NULL", &[&table])
        .await?;
    if found.try_get(0)? {
        return Ok(());
    }
    // Subtasks come at the same time, and IF NOT EXISTS alone may fail then.
    let sql = format!(
        "BEGIN; SELECT pg_advisory_xact_lock(hashtext('{TABLE}')); \
         CREATE TABLE IF NOT EXISTS {table} (sink TEXT NOT NULL, lineage TEXT NOT NULL, \
           checkpoint BIGINT NOT NULL, closed BOOLEAN NOT NULL DEFAULT FALSE, \
           changed TIMESTAMPTZ NOT NULL DEFAULT now(), PRIMARY KEY (sink, lineage)); COMMIT"
    );
    Ok(client.batch_execute(&sql).await?)
}

/// A name for a new run; chance comes from the database.
pub(super) async fn new_lineage(client: &Client) -> Result<String, Failure> {
    let sql = "SELECT md5(random()::text || clock_timestamp()::text || pg_backend_pid()::text)";
    Ok(client.query_one(sql, &[]).await?.try_get(0)?)
}

/// Writes the rows of an epoch, unless that has been done. `restored` rows were prepared by an
/// earlier run, which is not to write any more. On failure the connection is to be closed.
pub(super) async fn publish(
    client: &Client,
    target: &Target,
    epoch: &Epoch,
    restored: bool,
    points: &Failpoints,
) -> Result<(), Failure> {
    let table = table(target);
    let checkpoint = i64::try_from(epoch.checkpoint).unwrap_or(i64::MAX);
    client
        .batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        .await?;
    let insert = format!(
        "INSERT INTO {table} (sink, lineage, checkpoint) VALUES ($1, $2, -1) ON CONFLICT DO NOTHING"
    );
    client
        .execute(&insert, &[&epoch.sink, &epoch.lineage])
        .await?;
    let select = format!(
        "SELECT checkpoint, closed FROM {table} WHERE sink = $1 AND lineage = $2 FOR UPDATE"
    );
    let marker = client
        .query_one(&select, &[&epoch.sink, &epoch.lineage])
        .await?;
    let (written, closed): (i64, bool) = (marker.try_get(0)?, marker.try_get(1)?);
    let is_out = written >= checkpoint;
    if closed && !restored && !is_out {
        return Err(Failure::Fatal(
            EngineError::connector(
                "a later run of the job has taken over, and this one may not write any more",
            )
            .with_detail(format!(
                "sink {}, lineage {}, checkpoint {checkpoint}",
                epoch.sink, epoch.lineage
            )),
        ));
    }
    if !is_out {
        write(client, target, epoch).await?;
        points.pass(Failpoint::SinkCommitRows);
    }
    for staged in &epoch.staged {
        let drop = format!("DROP TABLE IF EXISTS {}", beside(target, staged));
        client.batch_execute(&drop).await?;
    }
    let update = format!(
        "UPDATE {table} SET checkpoint = GREATEST(checkpoint, $3), closed = closed OR $4, \
           changed = now() WHERE sink = $1 AND lineage = $2"
    );
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
        [&epoch.sink, &epoch.lineage, &checkpoint, &restored];
    client.execute(&update, &values).await?;
    points.pass(Failpoint::SinkCommitMarked);
    client.batch_execute("COMMIT").await?;
    Ok(())
}

async fn write(client: &Client, target: &Target, epoch: &Epoch) -> Result<(), Failure> {
    for staged in &epoch.staged {
        let staged = beside(target, staged);
        let sql = "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute \
             WHERE attrelid = to_regclass($1) AND attnum > 0 HAVING count(*) > 0";
        let found = client.query_opt(sql, &[&staged]).await?;
        let Some(columns) = found else {
            return Err(Failure::Fatal(
                EngineError::connector(format!(
                    "rows of the checkpoint are lost: the table {staged}, in which they waited, is gone"
                ))
                .with_hint("put the table back, or start the job without the checkpoint"),
            ));
        };
        let columns: String = columns.try_get(0)?;
        let sql = format!(
            "INSERT INTO {} ({columns}) SELECT {columns} FROM {staged}",
            target.name.quoted()
        );
        client.batch_execute(&sql).await?;
    }
    for rows in &epoch.rows {
        // The table may have been declared otherwise when these rows were prepared.
        let columns = target.bind(&rows.schema(), Direction::Write)?;
        let columns: Vec<_> = columns.iter().enumerate().collect();
        let into = format!("{} ({})", target.name.quoted(), column_list(&columns));
        copy(client, &into, rows, &columns).await?;
    }
    Ok(())
}

/// The name of a table in which rows wait, as SQL.
pub(super) fn beside(target: &Target, name: &str) -> String {
    match &target.name.schema {
        Some(schema) => format!("{}.{}", quote(schema), quote(name)),
        None => quote(name),
    }
}

/// What the names of the tables begin with in which the rows of a lineage wait.
pub(super) fn staged_prefix(lineage: &str) -> String {
    format!("levada_rows_{lineage}_")
}

/// Removes the tables of a lineage that is closed and whose rows are written.
pub(super) async fn remove_staged(
    client: &Client,
    target: &Target,
    lineage: &str,
) -> Result<(), Failure> {
    let sql = "SELECT relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
         WHERE nspname = $1 AND relkind = 'r' AND starts_with(relname::text, $2)";
    let schema = target.name.schema.clone().unwrap_or_default();
    for row in client
        .query(sql, &[&schema, &staged_prefix(lineage)])
        .await?
    {
        let name: String = row.try_get(0)?;
        let drop = format!("DROP TABLE IF EXISTS {}", beside(target, &name));
        client.batch_execute(&drop).await?;
    }
    Ok(())
}
