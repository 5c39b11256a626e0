//! librdkafka's clients: what they say, and questions that are asked again until a broker answers.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use levada_engine::metrics::SubtaskMetrics;
use levada_engine::{EngineError, Result};
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, TopicPartitionList};
use regex::Regex;
use tokio::time::Instant;

use super::offsets::Failure;

/// How long a single question may take.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(4);
/// How long the end of a client is waited for.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long to wait before a question is asked again.
const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// The same complaint is repeated at most this often.
const REPEAT: Duration = Duration::from_secs(10);
/// How often a topic is looked for before it counts as missing: a broker knows a new one at once,
/// its neighbours a little later.
const TOPIC_TRIES: u32 = 4;

/// Hears what a client has to say.
#[derive(Debug)]
pub(super) struct Monitor {
    table: String,
    servers: String,
    metrics: Arc<SubtaskMetrics>,
    troubled: AtomicBool,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    /// The last reason for which a broker could not be reached.
    reason: Option<String>,
    complained: Option<Instant>,
}

impl Monitor {
    /// For the table of a subtask that counts in `metrics`, where people look for trouble.
    pub(super) fn new(table: &str, servers: &str, metrics: Arc<SubtaskMetrics>) -> Self {
        Self {
            table: table.to_string(),
            servers: servers.to_string(),
            metrics,
            troubled: AtomicBool::new(false),
            heard: Mutex::new(Heard::default()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that the brokers do not answer, unless that was said just now.
    pub(super) fn complain(&self, error: &KafkaError) {
        let now = Instant::now();
        let reason = {
            let mut heard = self.lock();
            if heard.complained.is_some_and(|at| now < at + REPEAT) {
                return;
            }
            heard.complained = Some(now);
            heard.reason.clone().unwrap_or_else(|| explain(error))
        };
        let trouble = format!(
            "table '{}': Kafka at {} does not answer ({reason}); trying again",
            self.table, self.servers
        );
        tracing::warn!("{trouble}");
        self.metrics.set_trouble(Some(trouble));
        self.troubled.store(true, Ordering::Release);
    }

    /// A broker has answered.
    pub(super) fn recovered(&self) {
        if self.troubled.swap(false, Ordering::AcqRel) {
            self.metrics.set_trouble(None);
        }
    }
}

impl ClientContext for Monitor {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
                if facility != "FAIL" =>
            {
                tracing::warn!(table = self.table, "librdkafka: {message}");
            }
            _ => tracing::debug!(table = self.table, facility, "librdkafka: {message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code();
        if code == Some(RDKafkaErrorCode::AllBrokersDown) {
            return self.complain(&error);
        }
        if is_unreachable(&error) {
            self.lock().reason = Some(reason.to_string());
            return self.complain(&error);
        }
        if code != Some(RDKafkaErrorCode::PartitionEOF) {
            tracing::warn!(table = self.table, "Kafka: {reason}");
        }
    }
}

impl ConsumerContext for Monitor {
    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        if let Err(error) = result {
            tracing::warn!(
                table = self.table,
                "the consumer group's offsets were not committed: {}",
                explain(&error)
            );
        }
    }
}

/// A client of librdkafka, shared with the threads on which it is asked.
///
/// Closing one talks to brokers, and now and then does not come back. So it is closed on a thread of its
/// own, which is waited for, since the last offsets may be on their way, but not for ever.
pub(super) struct Handle<C: Client> {
    client: Arc<C>,
    // Behind the other, so that it is the last to go.
    _closing: Closing<C>,
}

struct Closing<C: Client>(Option<Arc<C>>);

impl<C: Client> Handle<C> {
    pub(super) fn new(client: C) -> Self {
        let client = Arc::new(client);
        Self {
            _closing: Closing(Some(Arc::clone(&client))),
            client,
        }
    }
}

impl<C: Client> Deref for Handle<C> {
    type Target = Arc<C>;

    fn deref(&self) -> &Arc<C> {
        &self.client
    }
}

impl<C: Client> Drop for Closing<C> {
    fn drop(&mut self) {
        // A thread that still asks closes it itself.
        let Some(client) = self.0.take().and_then(Arc::into_inner) else {
            return;
        };
        let (closed, wait) = mpsc::channel::<()>();
        let closing = std::thread::Builder::new().name("kafka-close".to_string());
        let spawned = closing.spawn(move || {
            drop(client);
            drop(closed);
        });
        if spawned.is_ok() && wait.recv_timeout(CLOSE_TIMEOUT) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("a Kafka client takes long to close; nobody waits for it any more");
        }
    }
}

/// A consumer with explicit assignment.
pub(super) type Consumer = BaseConsumer<Monitor>;

/// Creates a consumer. Nothing is connected yet.
pub(super) fn consumer(config: &ClientConfig, monitor: Monitor) -> Result<Handle<Consumer>> {
    let consumer = BaseConsumer::from_config_and_context(config, monitor);
    consumer
        .map(Handle::new)
        .map_err(|e| EngineError::config(format!("the Kafka consumer cannot be made: {e}")))
}

/// A client of librdkafka that is shared with the threads on which it is asked.
pub(super) trait Client: Send + Sync + 'static {
    /// Serves what librdkafka has logged meanwhile.
    fn serve(&self);

    /// The one that hears what it says.
    fn monitor(&self) -> &Monitor;
}

impl Client for Consumer {
    fn serve(&self) {
        let _ = self.poll(Duration::ZERO);
    }

    fn monitor(&self) -> &Monitor {
        self.client().context()
    }
}

/// Asks a blocking question off the thread, again and again until there is an answer.
pub(super) async fn ask<C: Client, T: Send + 'static>(
    client: &Arc<C>,
    question: impl Fn(&C) -> Result<T, Failure> + Clone + Send + 'static,
) -> Result<T> {
    loop {
        let (client, question) = (Arc::clone(client), question.clone());
        let answer = tokio::task::spawn_blocking(move || {
            let answer = question(&client);
            client.serve();
            match &answer {
                Err(Failure::Broker(error)) => client.monitor().complain(error),
                _ => client.monitor().recovered(),
            }
            answer
        });
        match answer.await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(Failure::Fatal(error))) => return Err(error),
            Ok(Err(Failure::Broker(error))) if is_hopeless(&error) => {
                return Err(EngineError::connector(format!(
                    "Kafka refuses: {}",
                    explain(&error)
                )));
            }
            Ok(Err(Failure::Broker(_))) => tokio::time::sleep(RETRY_PAUSE).await,
            Err(error) => {
                return Err(EngineError::internal(format!(
                    "a question to Kafka: {error}"
                )));
            }
        }
    }
}

/// Which topics a table has.
#[derive(Debug, Clone)]
pub(super) enum Topics {
    Named(Vec<String>),
    Matching(Regex),
}

impl Topics {
    /// All partitions of the topics; blocks.
    pub(super) fn partitions<C: ClientContext>(
        &self,
        client: &rdkafka::client::Client<C>,
    ) -> Result<Vec<(String, i32)>, Failure> {
        let mut found = Vec::new();
        match self {
            Topics::Named(names) => {
                for name in names {
                    let count = partition_count(client, name)?;
                    found.extend((0..count).map(|p| (name.clone(), p)));
                }
            }
            Topics::Matching(pattern) => {
                let metadata = client.fetch_metadata(None, REQUEST_TIMEOUT)?;
                for topic in metadata.topics() {
                    let name = topic.name();
                    if !name.starts_with("__") && pattern.is_match(name) {
                        found.extend(
                            topic
                                .partitions()
                                .iter()
                                .map(|p| (name.to_string(), p.id())),
                        );
                    }
                }
                if found.is_empty() {
                    let pattern = pattern
                        .as_str()
                        .trim_start_matches("^(?:")
                        .trim_end_matches(")$");
                    return Err(Failure::Fatal(EngineError::config(format!(
                        "no topic matches 'topic-pattern' = '{pattern}'"
                    ))));
                }
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }
}

/// How many partitions a topic has; blocks. A topic that is not there is an error.
pub(super) fn partition_count<C: ClientContext>(
    client: &rdkafka::client::Client<C>,
    topic: &str,
) -> Result<i32, Failure> {
    let mut tries = 0;
    loop {
        tries += 1;
        let metadata = client.fetch_metadata(Some(topic), REQUEST_TIMEOUT)?;
        let known = metadata.topics().iter().find(|t| t.name() == topic);
        let error = known.and_then(|t| t.error());
        let count = known.map_or(0, |t| t.partitions().len());
        if error.is_none() && count > 0 {
            return Ok(i32::try_from(count).unwrap_or(i32::MAX));
        }
        let missing = EngineError::config(format!("the topic '{topic}' does not exist"))
            .with_hint("create it, or check the option 'topic'");
        let failure = match error {
            Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) => {
                return Err(Failure::Fatal(EngineError::config(format!(
                    "this user may not see the topic '{topic}'"
                ))));
            }
            Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION) => {
                return Err(Failure::Fatal(EngineError::config(format!(
                    "'{topic}' is no valid name of a topic"
                ))));
            }
            Some(
                RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
                | RDKafkaRespErr::RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            )
            | None => Failure::Fatal(missing),
            Some(other) => Failure::Broker(KafkaError::MetadataFetch(other.into())),
        };
        if tries >= TOPIC_TRIES {
            return Err(failure);
        }
        // On a thread for blocking work, or on the subtask's own.
        std::thread::sleep(RETRY_PAUSE);
    }
}

/// Whether the brokers could not be reached.
fn is_unreachable(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::BrokerTransportFailure
                | Code::Resolve
                | Code::AllBrokersDown
                | Code::OperationTimedOut
                | Code::MessageTimedOut
                | Code::RequestTimedOut
        )
    )
}

/// Whether asking again cannot help.
fn is_hopeless(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::Authentication
                | Code::SaslAuthenticationFailed
                | Code::UnsupportedSASLMechanism
                | Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::ClusterAuthorizationFailed
                | Code::UnsupportedFeature
                | Code::Fatal
        )
    )
}

/// What librdkafka says about an error, without the binding's own words.
pub(super) fn explain(error: &KafkaError) -> String {
    match error.rdkafka_error_code() {
        Some(code) => code.to_string(),
        None => error.to_string(),
    }
}
