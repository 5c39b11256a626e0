//! `properties.*`: settings of the Kafka client, under the names that Kafka users know.
//!
//! They go to librdkafka. Names that only the Java client has are translated where librdkafka has
//! the same thing, ignored where it needs none, and refused where ignoring them would be wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use levada_engine::{EngineError, Result};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;

/// The settings of a table's clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Properties {
    /// What librdkafka gets from the user.
    entries: BTreeMap<String, String>,
    /// The user's consumer group.
    pub group_id: Option<String>,
    /// What to do where there is no offset to go on from.
    pub reset: Option<Reset>,
}

/// How long a transaction may be open, in milliseconds.
pub(super) const TRANSACTION_TIMEOUT: &str = "transaction.timeout.ms";
/// Long enough for an epoch, short enough for readers that wait for what a crash left open.
const DEFAULT_TRANSACTION_TIMEOUT_MS: u64 = 300_000;

/// `properties.auto.offset.reset`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reset {
    Earliest,
    Latest,
}

/// What becomes of a name that librdkafka does not know.
enum Treatment {
    /// It has the same thing under this name.
    Renamed(&'static str),
    /// It does that by itself, or the connector does.
    Ignored,
    /// It cannot do that; the hint says what to do.
    Refused(&'static str),
}

fn treatment(name: &str) -> Option<Treatment> {
    use Treatment::{Ignored, Refused, Renamed};
    Some(match name {
        "fetch.max.wait.ms" => Renamed("fetch.wait.max.ms"),
        "receive.buffer.bytes" => Renamed("socket.receive.buffer.bytes"),
        "send.buffer.bytes" => Renamed("socket.send.buffer.bytes"),
        "max.request.size" => Renamed("message.max.bytes"),
        "max.in.flight.requests.per.connection" => Renamed("max.in.flight"),
        "key.deserializer"
        | "value.deserializer"
        | "key.serializer"
        | "value.serializer"
        | "max.poll.records"
        | "max.block.ms"
        | "partition.assignment.strategy"
        | "metadata.max.idle.ms"
        | "exclude.internal.topics"
        | "default.api.timeout.ms"
        | "auto.include.jmx.reporter"
        | "metric.reporters"
        | "metrics.num.samples"
        | "metrics.recording.level"
        | "metrics.sample.window.ms"
        | "partition.discovery.interval.ms"
        | "client.id.prefix"
        | "register.consumer.metrics"
        | "commit.offsets.on.checkpoint" => Ignored,
        "partitioner.class" => Refused("use the option 'sink.partitioner'"),
        "interceptor.classes" => Refused("interceptors are Java classes; leave them out"),
        "transactional.id" => Refused("use the option 'sink.transactional-id-prefix'"),
        "ssl.truststore.location" | "ssl.truststore.password" | "ssl.truststore.type" => Refused(
            "give the certificates as a PEM file: 'properties.ssl.ca.location' = '/path/ca.pem'",
        ),
        "ssl.keystore.type" => Refused("a keystore must be a PKCS#12 file; leave the type out"),
        "sasl.client.callback.handler.class"
        | "sasl.login.callback.handler.class"
        | "sasl.login.class"
        | "sasl.server.callback.handler.class" => {
            Refused("callback handlers are Java classes; they cannot be used")
        }
        _ => return None,
    })
}

impl Properties {
    /// Reads what stood behind `properties.`.
    pub(super) fn parse(given: &BTreeMap<String, String>) -> Result<Self> {
        let servers = given.get("bootstrap.servers").map(|s| s.trim());
        if servers.is_none_or(str::is_empty) {
            return Err(EngineError::config(
                "the option 'properties.bootstrap.servers' is missing",
            )
            .with_hint("add 'properties.bootstrap.servers' = 'host:9092'"));
        }
        let mut properties = Properties {
            entries: BTreeMap::new(),
            group_id: None,
            reset: None,
        };
        for (name, value) in given {
            properties.take(name, value)?;
        }
        properties.check(&properties.consumer("check"))?;
        properties.check(&properties.producer())?;
        Ok(properties)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "group.id" => self.group_id = Some(value.to_string()),
            "auto.offset.reset" => self.reset = reset(value)?,
            "sasl.jaas.config" => self.jaas(value)?,
            // Offsets are committed when a checkpoint is complete, and never otherwise.
            "enable.auto.commit" | "auto.commit.interval.ms" => {}
            "buffer.memory" => {
                let bytes: u64 = value.trim().parse().map_err(|_| invalid(name, value))?;
                let kilobytes = (bytes / 1024).max(1).to_string();
                self.set("queue.buffering.max.kbytes", kilobytes);
            }
            "ssl.endpoint.identification.algorithm" if value.is_empty() => {
                self.set(name, "none".to_string());
            }
            _ => match treatment(name) {
                None => self.set(name, value.to_string()),
                Some(Treatment::Renamed(to)) => self.set(to, value.to_string()),
                Some(Treatment::Ignored) => {
                    tracing::debug!(property = name, "this property has no effect here");
                }
                Some(Treatment::Refused(hint)) => {
                    return Err(EngineError::config(format!(
                        "the option 'properties.{name}' belongs to the Java client and has no counterpart here"
                    ))
                    .with_hint(hint));
                }
            },
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: String) {
        self.entries.insert(name.to_string(), value);
    }

    /// `…LoginModule required username="…" password="…";`
    fn jaas(&mut self, text: &str) -> Result<()> {
        let wrong = || {
            EngineError::config(
                "the option 'properties.sasl.jaas.config' must name user and password of a PLAIN or SCRAM login",
            )
            .with_hint("or set 'properties.sasl.username' and 'properties.sasl.password'")
        };
        let module = text.split_whitespace().next().unwrap_or_default();
        if !(module.ends_with("PlainLoginModule") || module.ends_with("ScramLoginModule")) {
            return Err(wrong());
        }
        for name in ["username", "password"] {
            let value = jaas_value(text, name).ok_or_else(wrong)?;
            self.set(&format!("sasl.{name}"), value);
        }
        Ok(())
    }

    /// The brokers, as the user wrote them.
    pub(super) fn servers(&self) -> &str {
        self.entries
            .get("bootstrap.servers")
            .map_or("", String::as_str)
    }

    /// The settings of a consumer, whose group is `group` unless the user has one.
    pub(super) fn consumer(&self, group: &str) -> ClientConfig {
        let mut config = ClientConfig::new();
        // Each partition has a queue of its own; this is its limit.
        config.set("queued.max.messages.kbytes", "16384");
        config.set("enable.partition.eof", "false");
        self.fill(&mut config);
        config.set("group.id", self.group_id.as_deref().unwrap_or(group));
        config.set("enable.auto.commit", "false");
        config.set("enable.auto.offset.store", "false");
        // An offset that is gone is an error, not a silent jump.
        config.set("auto.offset.reset", "error");
        config
    }

    /// The settings of a producer.
    pub(super) fn producer(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("queue.buffering.max.kbytes", "65536");
        // The Java client's way to find a key's partition.
        config.set("partitioner", "murmur2_random");
        let decided = [
            "acks",
            "request.required.acks",
            "max.in.flight",
            "retries",
            "enable.idempotence",
        ];
        if !decided.iter().any(|name| self.entries.contains_key(*name)) {
            config.set("enable.idempotence", "true");
        }
        self.fill(&mut config);
        config
    }

    /// The settings of a producer that writes transactions as `id`.
    pub(super) fn transactional(&self, id: &str) -> ClientConfig {
        let mut config = self.producer();
        if !self.entries.contains_key(TRANSACTION_TIMEOUT) {
            config.set(
                TRANSACTION_TIMEOUT,
                DEFAULT_TRANSACTION_TIMEOUT_MS.to_string(),
            );
        }
        config.set("transactional.id", id);
        config
    }

    /// How long a transaction may be open.
    pub(super) fn transaction_timeout(&self) -> Duration {
        let given = self.entries.get(TRANSACTION_TIMEOUT);
        let ms = given.and_then(|text| text.trim().parse().ok());
        Duration::from_millis(ms.unwrap_or(DEFAULT_TRANSACTION_TIMEOUT_MS))
    }

    /// The settings of a consumer that does nothing but look at the offsets of `group`.
    pub(super) fn offsets_of(&self, group: &str) -> ClientConfig {
        let mut config = self.consumer(group);
        config.set("group.id", group);
        // Offsets of transactions that are still open are waited for.
        config.set("isolation.level", "read_committed");
        config.remove("group.instance.id");
        config.remove("group.protocol");
        config
    }

    /// Refuses settings with which there are no transactions; librdkafka would say so only when the
    /// producer is made.
    pub(super) fn check_transactional(&self) -> Result<()> {
        let timeout = self.transaction_timeout().as_millis();
        for (name, value) in &self.entries {
            let value = value.trim();
            let number: Option<u128> = value.parse().ok();
            let expected = match name.as_str() {
                "enable.idempotence" if value.eq_ignore_ascii_case("false") => "'true'".to_string(),
                "acks" | "request.required.acks" if !matches!(value, "all" | "-1") => {
                    "'all'".to_string()
                }
                "message.timeout.ms" | "delivery.timeout.ms"
                    if number.is_some_and(|ms| ms == 0 || ms > timeout) =>
                {
                    format!("at most '{TRANSACTION_TIMEOUT}', which is {timeout}")
                }
                _ => continue,
            };
            return Err(EngineError::config(format!(
                "the option 'properties.{name}' has the value '{value}', but 'sink.delivery-guarantee' = 'exactly-once' needs {expected}"
            ))
            .with_hint("leave the option out"));
        }
        self.check(&self.transactional("check"))
    }

    fn fill(&self, config: &mut ClientConfig) {
        for (name, value) in &self.entries {
            config.set(name, value);
        }
    }

    /// Has librdkafka look at the settings; nothing is connected.
    fn check(&self, config: &ClientConfig) -> Result<()> {
        let Err(error) = config.create_native_config() else {
            return Ok(());
        };
        let KafkaError::ClientConfig(_, reason, name, value) = error else {
            return Err(EngineError::config(format!(
                "the Kafka client's settings: {error}"
            )));
        };
        let unknown = reason.contains("No such configuration property");
        Err(match unknown {
            true => EngineError::config(format!(
                "the option 'properties.{name}' is unknown to the Kafka client"
            ))
            .with_hint("the names are those of librdkafka, and most of the Java client's"),
            false => EngineError::config(format!(
                "the option 'properties.{name}' has the value '{value}', which the Kafka client refuses: {reason}"
            )),
        })
    }
}

fn reset(value: &str) -> Result<Option<Reset>> {
    match value.trim() {
        "earliest" | "smallest" | "beginning" => Ok(Some(Reset::Earliest)),
        "latest" | "largest" | "end" => Ok(Some(Reset::Latest)),
        "none" | "error" => Ok(None),
        _ => Err(EngineError::config(format!(
            "the option 'properties.auto.offset.reset' has the value '{value}', expected 'earliest', 'latest' or 'none'"
        ))),
    }
}

fn invalid(name: &str, value: &str) -> EngineError {
    EngineError::config(format!(
        "the option 'properties.{name}' has the value '{value}', expected a number"
    ))
}

/// The value of `name="…"`, in double or single quotes.
fn jaas_value(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let before_is_space = rest.get(..at)?.ends_with(char::is_whitespace);
        let after = rest.get(at + name.len()..)?.trim_start();
        if let (true, Some(value)) = (before_is_space, after.strip_prefix('=')) {
            let value = value.trim_start();
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let inner = value.strip_prefix(quote)?;
            return inner.split(quote).next().map(str::to_string);
        }
        rest = after;
    }
    None
}
