//! The options of a table of Nexmark events.

use levada_engine::{EngineError, Result};
use nexmark::config::NexmarkConfig;
use nexmark::event::EventType;

use crate::format::scalar::time::{DateMemo, timestamp};
use crate::options::Options;

/// 2023-11-14 22:13:20.
const BASE_TIME_MS: i64 = 1_700_000_000_000;

/// What the events are like, and how many there are.
#[derive(Debug, Clone)]
pub(super) struct Config {
    pub generator: NexmarkConfig,
    /// `None`: without end.
    pub events: Option<u64>,
    pub rate_limited: bool,
}

impl Config {
    /// Reads the options of the public Nexmark connector, and `base-time`.
    pub(super) fn from_options(options: &mut Options) -> Result<Self> {
        let events =
            options.parsed::<u64>("events.num", "a number of events, or '0' for no end")?;
        let rate = rate(options)?;
        let base_time_ms = base_time(options)?;
        let bid_proportion = options.parsed("bid.proportion", "a number")?;
        let generator = NexmarkConfig {
            base_time: base_time_ms,
            first_rate: rate,
            next_rate: rate,
            person_proportion: positive(options, "person.proportion", 1)?,
            auction_proportion: positive(options, "auction.proportion", 3)?,
            bid_proportion: bid_proportion.unwrap_or(46),
            avg_person_byte_size: bytes(options, "person.avg-size", 200)?,
            avg_auction_byte_size: bytes(options, "auction.avg-size", 500)?,
            avg_bid_byte_size: bytes(options, "bid.avg-size", 100)?,
            hot_auction_ratio: positive(options, "bid.hot-ratio.auctions", 2)?,
            hot_bidder_ratio: positive(options, "bid.hot-ratio.bidders", 4)?,
            hot_seller_ratio: positive(options, "auction.hot-ratio.sellers", 4)?,
            ..NexmarkConfig::default()
        };
        Ok(Self {
            generator,
            events: events.filter(|events| *events > 0),
            rate_limited: options.boolean("rate.limited", false)?,
        })
    }

    /// What kind of event has a number.
    pub(super) fn kind(&self, number: u64) -> EventType {
        let config = &self.generator;
        let (people, auctions) = (config.person_proportion, config.auction_proportion);
        let all = people + auctions + config.bid_proportion;
        match (number % all as u64) as usize {
            place if place < people => EventType::Person,
            place if place < people + auctions => EventType::Auction,
            _ => EventType::Bid,
        }
    }

    /// Event time between the first event and another, in milliseconds.
    pub(super) fn elapsed_ms(&self, number: u64) -> i64 {
        let elapsed = u128::from(number) * 1_000 / self.generator.next_rate as u128;
        i64::try_from(elapsed).unwrap_or(i64::MAX)
    }
}

/// Events per second of event time.
fn rate(options: &mut Options) -> Result<usize> {
    let first = positive(options, "first-event.rate", 10_000)?;
    let next = match options.text("next-event.rate") {
        None => first,
        Some(_) => positive(options, "next-event.rate", first)?,
    };
    // The shape and the period of a change; without one they mean nothing.
    options.choice("rate.shape", &[("SQUARE", ()), ("SINE", ())])?;
    options.duration("rate.period")?;
    if options.text("first-event.rate").is_some() && first != next {
        return Err(EngineError::config(
            "'first-event.rate' and 'next-event.rate' differ: a rate that changes is not supported",
        )
        .with_hint("give both the same value"));
    }
    Ok(next)
}

/// A timestamp in UTC, or milliseconds since 1970.
fn base_time(options: &mut Options) -> Result<u64> {
    const NAME: &str = "base-time";
    let Some(text) = options.text(NAME) else {
        return Ok(BASE_TIME_MS as u64);
    };
    let millis = text.parse::<u64>().ok().or_else(|| {
        let moment = timestamp(text.as_bytes(), &mut DateMemo::default())?;
        let millis = moment.seconds * 1_000 + i64::from(moment.nanos / 1_000_000);
        u64::try_from(millis).ok()
    });
    // The year 9999 ends the range in which sums of times cannot overflow.
    millis
        .filter(|millis| *millis < 253_402_300_800_000)
        .ok_or_else(|| {
            options.invalid(
                NAME,
                "a timestamp such as '2023-11-14 22:13:20', or milliseconds since 1970",
            )
        })
}

fn positive(options: &mut Options, name: &str, default: usize) -> Result<usize> {
    match options.parsed::<u32>(name, "a positive number")? {
        None => Ok(default),
        Some(0) => Err(options.invalid(name, "a positive number")),
        Some(number) => Ok(number as usize),
    }
}

fn bytes(options: &mut Options, name: &str, default: usize) -> Result<usize> {
    match options.bytes(name)? {
        None => Ok(default),
        Some(bytes) if bytes <= 1 << 20 => Ok(bytes as usize),
        Some(_) => Err(options.invalid(name, "at most '1 mb'")),
    }
}
