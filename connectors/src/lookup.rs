//! The options of tables that are asked by key.

use levada_engine::Result;
use levada_engine::connector::{LookupCache, PartialCache};

use crate::options::Options;

const CACHE: &str = "lookup.cache";
const MAX_ROWS: &str = "lookup.partial-cache.max-rows";
const AFTER_WRITE: &str = "lookup.partial-cache.expire-after-write";
const AFTER_ACCESS: &str = "lookup.partial-cache.expire-after-access";
const MISSING_KEY: &str = "lookup.partial-cache.cache-missing-key";
const STRATEGY: &str = "lookup.full-cache.reload-strategy";
const INTERVAL: &str = "lookup.full-cache.periodic-reload.interval";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    None,
    Partial,
    Full,
}

/// What `lookup.cache` and the options around it say; `None` if they say nothing.
pub(crate) fn parse(options: &mut Options) -> Result<Option<LookupCache>> {
    let kinds = [
        ("NONE", Kind::None),
        ("PARTIAL", Kind::Partial),
        ("FULL", Kind::Full),
    ];
    let kind = options.choice(CACHE, &kinds)?;
    let (of_partial, partial) = partial(options)?;
    let (of_full, reload_ms) = full(options)?;
    for (option, wanted, value) in [
        (of_partial, Kind::Partial, "PARTIAL"),
        (of_full, Kind::Full, "FULL"),
    ] {
        if let Some(option) = option
            && kind != Some(wanted)
        {
            return Err(options.useless(option, &format!("'{CACHE}' = '{value}'")));
        }
    }
    Ok(kind.map(|kind| match kind {
        Kind::None => LookupCache::None,
        Kind::Partial => LookupCache::Partial(partial),
        Kind::Full => LookupCache::Full { reload_ms },
    }))
}

/// How answers are kept, and one of the options that say so.
fn partial(options: &mut Options) -> Result<(Option<&'static str>, PartialCache)> {
    let max_rows = options.parsed::<u64>(MAX_ROWS, "a number of rows")?;
    if max_rows == Some(0) {
        return Err(options.invalid(MAX_ROWS, "a number of rows above zero"));
    }
    let write = millis(options, AFTER_WRITE)?;
    let access = millis(options, AFTER_ACCESS)?;
    let given = [
        (MAX_ROWS, max_rows.is_some()),
        (AFTER_WRITE, write.is_some()),
        (AFTER_ACCESS, access.is_some()),
        (MISSING_KEY, options.text(MISSING_KEY).is_some()),
    ];
    let cache = PartialCache {
        max_rows,
        expire_after_write_ms: write,
        expire_after_access_ms: access,
        missing_keys: options.boolean(MISSING_KEY, true)?,
    };
    let given = given.into_iter().find(|(_, given)| *given);
    Ok((given.map(|(option, _)| option), cache))
}

/// When a table is loaded again, and one of the options that say so.
fn full(options: &mut Options) -> Result<(Option<&'static str>, Option<u64>)> {
    let strategy = options.choice(STRATEGY, &[("PERIODIC", ())])?;
    let interval = millis(options, INTERVAL)?;
    let given = match (strategy, interval) {
        (_, Some(_)) => Some(INTERVAL),
        (Some(()), None) => Some(STRATEGY),
        (None, None) => None,
    };
    Ok((given, interval))
}

fn millis(options: &mut Options, name: &str) -> Result<Option<u64>> {
    match options.duration(name)? {
        Some(time) if time.is_zero() => Err(options.invalid(name, "a duration above zero")),
        time => Ok(time.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))),
    }
}
