//! The input: Nexmark events as JSON lines, the same bytes for the same parameters, made once.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::thread;

use chrono::DateTime;
use nexmark::EventGenerator;
use nexmark::config::NexmarkConfig;
use nexmark::event::{Auction, Bid, Event, Person};

use crate::error::{At, Error, Result};

#[cfg(test)]
mod tests;

/// Event time of the first event, in milliseconds since the epoch: 2023-11-14 22:13:20.
const BASE_TIME_MS: u64 = 1_700_000_000_000;

/// Which events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// How many, over all files.
    pub events: u64,
    /// How many a second of event time.
    pub rate: usize,
    /// How many files they are dealt out to, in turn.
    pub files: u64,
}

/// An input that is there.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// Its folder; empty if the queries make their own input.
    pub dir: PathBuf,
    /// How many events it has.
    pub events: u64,
}

impl Input {
    /// The folder below `cache` that holds this input.
    pub fn dir(&self, cache: &Path) -> PathBuf {
        let Self {
            events,
            rate,
            files,
        } = self;
        cache.join(format!(
            "nexmark/{events}-events-{rate}-a-second-{files}-files"
        ))
    }

    /// Makes the input in `dir`, unless it is there. A folder is complete or absent: the files are
    /// written beside it and moved into place together.
    ///
    /// # Errors
    /// When files can't be written, or `dir` holds something else.
    pub fn make(&self, dir: &Path) -> Result<()> {
        if dir.exists() {
            return self.recognise(dir);
        }
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        let scratch = dir.with_file_name(format!(".{name}.{}", std::process::id()));
        fs::create_dir_all(&scratch).at(&scratch)?;
        let written: Result<Vec<()>> = thread::scope(|scope| {
            let writers: Vec<_> = (0..self.files)
                .map(|file| {
                    let path = scratch.join(format!("events-{file}.json"));
                    scope.spawn(move || self.write_file(file, &path))
                })
                .collect();
            writers
                .into_iter()
                .map(|writer| {
                    writer
                        .join()
                        .unwrap_or_else(|_| Err(Error::Invalid("the generator panicked".into())))
                })
                .collect()
        });
        if let Err(error) = written {
            let _ = fs::remove_dir_all(&scratch);
            return Err(error);
        }
        fs::rename(&scratch, dir).at(dir)
    }

    /// Whether `dir` holds as many files as this input has.
    fn recognise(&self, dir: &Path) -> Result<()> {
        let found = fs::read_dir(dir).at(dir)?.count() as u64;
        let expected = (0..self.files).all(|i| dir.join(format!("events-{i}.json")).is_file());
        if expected && found == self.files {
            return Ok(());
        }
        Err(Error::Invalid(format!(
            "{} exists but does not hold {} files of events; remove it or name another folder",
            dir.display(),
            self.files
        )))
    }

    fn write_file(&self, file: u64, path: &Path) -> Result<()> {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path).at(path)?);
        let events = EventGenerator::new(config(self.rate))
            .with_offset(file)
            .with_step(self.files);
        let count = (self.events + self.files - 1 - file) / self.files;
        let mut line = Line::default();
        for event in events.take(usize::try_from(count).unwrap_or(usize::MAX)) {
            out.write_all(line.of(&event).as_bytes()).at(path)?;
        }
        out.flush().at(path)
    }
}

fn config(rate: usize) -> NexmarkConfig {
    NexmarkConfig {
        base_time: BASE_TIME_MS,
        first_rate: rate,
        next_rate: rate,
        ..NexmarkConfig::default()
    }
}

/// Writes events as lines, reusing its buffer and, as long as the second lasts, the formatted time.
#[derive(Default)]
struct Line {
    text: String,
    second: u64,
    second_text: String,
}

impl Line {
    fn of(&mut self, event: &Event) -> &str {
        self.text.clear();
        match event {
            Event::Person(person) => self.person(person),
            Event::Auction(auction) => self.auction(auction),
            Event::Bid(bid) => self.bid(bid),
        }
        self.text.push_str("}}\n");
        &self.text
    }

    fn person(&mut self, person: &Person) {
        self.text.push_str(r#"{"event_type":0,"person":{"id":"#);
        self.number(person.id);
        self.string("name", &person.name);
        self.string("emailAddress", &person.email_address);
        self.string("creditCard", &person.credit_card);
        self.string("city", &person.city);
        self.string("state", &person.state);
        self.time("dateTime", person.date_time);
        self.string("extra", &person.extra);
    }

    fn auction(&mut self, auction: &Auction) {
        self.text.push_str(r#"{"event_type":1,"auction":{"id":"#);
        self.number(auction.id);
        self.string("itemName", &auction.item_name);
        self.string("description", &auction.description);
        self.named_number("initialBid", auction.initial_bid);
        self.named_number("reserve", auction.reserve);
        self.time("dateTime", auction.date_time);
        self.time("expires", auction.expires);
        self.named_number("seller", auction.seller);
        self.named_number("category", auction.category);
        self.string("extra", &auction.extra);
    }

    fn bid(&mut self, bid: &Bid) {
        self.text.push_str(r#"{"event_type":2,"bid":{"auction":"#);
        self.number(bid.auction);
        self.named_number("bidder", bid.bidder);
        self.named_number("price", bid.price);
        self.string("channel", &bid.channel);
        self.string("url", &bid.url);
        self.time("dateTime", bid.date_time);
        self.string("extra", &bid.extra);
    }

    fn name(&mut self, name: &str) {
        self.text.push_str(",\"");
        self.text.push_str(name);
        self.text.push_str("\":");
    }

    fn number(&mut self, value: usize) {
        self.text.push_str(&value.to_string());
    }

    fn named_number(&mut self, name: &str, value: usize) {
        self.name(name);
        self.number(value);
    }

    fn string(&mut self, name: &str, value: &str) {
        self.name(name);
        if value.bytes().all(|b| b >= b' ' && b != b'"' && b != b'\\') {
            self.text.push('"');
            self.text.push_str(value);
            self.text.push('"');
        } else {
            self.text
                .push_str(&serde_json::Value::from(value).to_string());
        }
    }

    fn time(&mut self, name: &str, ms: u64) {
        let second = ms / 1000;
        if second != self.second || self.second_text.is_empty() {
            self.second = second;
            self.second_text = i64::try_from(second)
                .ok()
                .and_then(|second| DateTime::from_timestamp(second, 0))
                .unwrap_or_default()
                .format("%Y-%m-%d %H:%M:%S")
                .to_string();
        }
        self.name(name);
        self.text.push('"');
        self.text.push_str(&self.second_text);
        self.text.push_str(&format!(".{:03}\"", ms % 1000));
    }
}
