//! The control plane over gRPC: envelopes around the engine's own types.

use std::pin::Pin;
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use futures::{Stream, StreamExt};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status, Streaming};

use super::FROM_WORKER_QUEUE;
use crate::client::{Environment, JobClient, JobStatus, ResultStream, StopMode};
use crate::control::{ToCoordinator, ToWorker};
use crate::coordinator::{Input, LocalClient, WORKER_QUEUE};
use crate::element::Batch;
use crate::error::{EngineError, ErrorKind, Result};
use crate::exchange::frame::{decode_batch, encode_batch};
use crate::exchange::network::InletRegistry;
use crate::graph::{JobGraph, JobId, WireBytes};
use crate::worker::{MetricsTable, Worker, WorkerConfig};

/// Generated from `proto/levada.proto`.
#[allow(missing_docs, clippy::all, unreachable_pub)]
mod wire {
    tonic::include_proto!("levada.v1");
}

use wire::Envelope;
use wire::coordinator_client::CoordinatorClient;
use wire::coordinator_server::{Coordinator, CoordinatorServer};

/// The longest message that is read, in bytes.
const MAX_MESSAGE: usize = 256 << 20;
/// How long a connection attempt may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a coordinator may be gone while a client waits for a job, and how often it is looked for.
const ABSENCE: Duration = Duration::from_secs(60);
const ASK_AGAIN: Duration = Duration::from_millis(200);
/// How often an idle connection is probed.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// What a client asks.
#[derive(Debug, Serialize, Deserialize)]
enum Ask {
    Submit(Box<JobGraph>),
    Status(JobId),
    List,
    Stop(JobId, StopMode),
    Savepoint(JobId, Option<String>),
    Wait(JobId),
}

/// What it is answered.
#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Submitted(JobId),
    Status(Box<JobStatus>),
    List(Vec<JobStatus>),
    Savepoint(String),
    Done,
}

fn seal<T: Serialize>(value: &T) -> Result<Envelope> {
    let payload = serde_json::to_vec(value)
        .map_err(|e| EngineError::internal(format!("a message cannot be written: {e}")))?;
    Ok(Envelope {
        version: crate::VERSION.to_string(),
        payload,
    })
}

fn seal_for_wire<T: Serialize>(value: &T) -> Result<Envelope, Status> {
    seal(value).map_err(|e| Status::internal(e.to_string()))
}

fn open<T: DeserializeOwned>(envelope: &Envelope) -> Result<T> {
    if envelope.version != crate::VERSION {
        let versions = format!("{} and {}", envelope.version, crate::VERSION);
        return Err(
            EngineError::config(format!("the two ends have versions {versions}"))
                .with_hint("run the same version of levada on every machine of the cluster"),
        );
    }
    serde_json::from_slice(&envelope.payload)
        .map_err(|e| EngineError::network("a malformed message arrived").with_detail(e.to_string()))
}

struct Service {
    inputs: mpsc::Sender<Input>,
    client: LocalClient,
}

/// Serves workers and clients until `stop`.
pub(super) async fn serve(
    listener: TcpListener,
    inputs: mpsc::Sender<Input>,
    stop: CancellationToken,
) -> Result<()> {
    let service = Service {
        client: LocalClient::new(inputs.clone()),
        inputs,
    };
    let service = CoordinatorServer::new(service)
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE);
    let serving = Server::builder()
        .tcp_nodelay(true)
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .add_service(service)
        .serve_with_incoming(TcpListenerStream::new(listener));
    // Sessions of workers have no end of their own, so a graceful shutdown would wait for ever.
    tokio::select! {
        () = stop.cancelled() => Ok(()),
        served = serving => served.map_err(|e| EngineError::network(e.to_string())),
    }
}

type Outgoing<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[async_trait]
impl Coordinator for Service {
    type WorkStream = Outgoing<Envelope>;
    type ResultsStream = Outgoing<Envelope>;

    async fn work(
        &self,
        request: Request<Streaming<Envelope>>,
    ) -> Result<Response<Self::WorkStream>, Status> {
        let (to_worker, queue) = mpsc::channel::<ToWorker>(WORKER_QUEUE);
        tokio::spawn(session(
            request.into_inner(),
            to_worker,
            self.inputs.clone(),
        ));
        let outgoing = ReceiverStream::new(queue).map(|message| seal_for_wire(&message));
        Ok(Response::new(Box::pin(outgoing)))
    }

    async fn call(&self, request: Request<Envelope>) -> Result<Response<Envelope>, Status> {
        let answer = match open::<Ask>(request.get_ref()) {
            Ok(ask) => self.answer(ask).await,
            Err(error) => Err(error),
        };
        Ok(Response::new(seal_for_wire(&answer)?))
    }

    async fn results(
        &self,
        request: Request<Envelope>,
    ) -> Result<Response<Self::ResultsStream>, Status> {
        let rows = match open::<JobId>(request.get_ref()) {
            Ok(job) => self.client.rows(&job).await,
            Err(error) => Err(error),
        };
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        };
        let encode = |batch: Result<Batch>| {
            let encoded = batch.and_then(|b| encode_batch(&b)).map(WireBytes);
            seal_for_wire(&encoded)
        };
        Ok(Response::new(Box::pin(rows.map(encode))))
    }
}

/// Passes on what a worker says until it hangs up.
async fn session(
    mut incoming: Streaming<Envelope>,
    to_worker: mpsc::Sender<ToWorker>,
    inputs: mpsc::Sender<Input>,
) {
    let Some(Ok(first)) = incoming.next().await else {
        return;
    };
    let registration = match open(&first) {
        Ok(ToCoordinator::Register(registration)) => registration,
        Ok(_) => return,
        Err(error) => {
            tracing::warn!("a worker was refused: {error}");
            // The refusal must be readable for a worker of another version too.
            let _ = to_worker.send(ToWorker::Refused(error)).await;
            return;
        }
    };
    let worker = registration.worker.clone();
    if inputs
        .send(Input::Register(registration, to_worker))
        .await
        .is_err()
    {
        return;
    }
    let why = loop {
        let message = match incoming.next().await {
            Some(Ok(envelope)) => open(&envelope),
            Some(Err(status)) => break status.message().to_string(),
            None => break "it has hung up".to_string(),
        };
        match message {
            Ok(message) => {
                if inputs
                    .send(Input::Worker(worker.clone(), message))
                    .await
                    .is_err()
                {
                    return;
                }
            }
            Err(error) => break error.message,
        }
    };
    let _ = inputs.send(Input::WorkerLost(worker, why)).await;
}

impl Service {
    async fn answer(&self, ask: Ask) -> Result<Answer> {
        Ok(match ask {
            Ask::Submit(graph) => Answer::Submitted(self.client.submit(*graph).await?),
            Ask::Status(job) => Answer::Status(Box::new(self.client.status(&job).await?)),
            Ask::List => Answer::List(self.client.list().await?),
            Ask::Stop(job, mode) => {
                self.client.stop(&job, mode).await?;
                Answer::Done
            }
            Ask::Savepoint(job, dir) => Answer::Savepoint(self.client.savepoint(&job, dir).await?),
            Ask::Wait(job) => Answer::Status(Box::new(self.client.wait(&job).await?)),
        })
    }
}

async fn dial(address: &str) -> Result<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|e| {
        EngineError::config(format!("'{address}' is not HOST:PORT")).with_detail(e.to_string())
    })?;
    let endpoint = endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_while_idle(true);
    endpoint.connect().await.map_err(|e| {
        EngineError::network(format!("the coordinator at {address} cannot be reached"))
            .with_detail(innermost(&e))
            .with_hint("start one with: levada coordinator --bind HOST:PORT --dir DIR")
    })
}

fn innermost(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => innermost(source),
        None => error.to_string(),
    }
}

fn client(channel: Channel) -> CoordinatorClient<Channel> {
    CoordinatorClient::new(channel)
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE)
}

fn hung_up(status: Status) -> EngineError {
    EngineError::network("the coordinator hung up").with_detail(status.message())
}

/// One session of a worker with its coordinator.
pub(super) async fn work(
    address: &str,
    config: WorkerConfig,
    environment: Environment,
    inlets: InletRegistry,
    metrics: MetricsTable,
    stop: CancellationToken,
) -> Result<()> {
    let channel = dial(address).await?;
    let (to_coordinator, outgoing) = mpsc::channel::<ToCoordinator>(FROM_WORKER_QUEUE);
    let (to_worker, from_coordinator) = mpsc::channel(WORKER_QUEUE);
    // A message that cannot be written ends the session, which the coordinator notices.
    let outgoing = ReceiverStream::new(outgoing)
        .map(|message| seal(&message))
        .take_while(|sealed| futures::future::ready(sealed.is_ok()))
        .filter_map(|sealed| futures::future::ready(sealed.ok()));
    let mut client = client(channel);
    let session = async move {
        let mut incoming = client.work(outgoing).await.map_err(hung_up)?.into_inner();
        while let Some(envelope) = incoming.next().await {
            let message: ToWorker = open(&envelope.map_err(hung_up)?)?;
            if to_worker.send(message).await.is_err() {
                break;
            }
        }
        Ok(())
    };
    let worker = Worker::run(
        config,
        environment,
        inlets,
        metrics,
        to_coordinator,
        from_coordinator,
        stop.clone(),
    );
    let (session, worker) = tokio::join!(session, worker);
    match (worker, session) {
        (Ok(()), _) => Ok(()),
        // The worker saw only that its queue ended, unless it was refused; the session knows why.
        (Err(refused), _) if refused.kind == ErrorKind::Config => Err(refused),
        (Err(_), Err(error)) | (Err(error), Ok(())) => Err(error),
    }
}

/// A client of a coordinator in another process.
#[derive(Clone)]
pub struct RemoteClient {
    client: CoordinatorClient<Channel>,
}

/// Connects to a coordinator at `HOST:PORT`.
pub async fn connect(address: &str) -> Result<RemoteClient> {
    Ok(RemoteClient {
        client: client(dial(address).await?),
    })
}

impl RemoteClient {
    async fn ask(&self, ask: Ask) -> Result<Answer> {
        let answer = self
            .client
            .clone()
            .call(seal(&ask)?)
            .await
            .map_err(hung_up)?;
        open::<Result<Answer>>(answer.get_ref())?
    }
}

fn unexpected<T>(_: Answer) -> Result<T> {
    Err(EngineError::internal(
        "the coordinator gave another answer than was asked for",
    ))
}

#[async_trait]
impl JobClient for RemoteClient {
    async fn submit(&self, graph: JobGraph) -> Result<JobId> {
        match self.ask(Ask::Submit(Box::new(graph))).await? {
            Answer::Submitted(id) => Ok(id),
            other => unexpected(other),
        }
    }

    async fn status(&self, job: &JobId) -> Result<JobStatus> {
        match self.ask(Ask::Status(job.clone())).await? {
            Answer::Status(status) => Ok(*status),
            other => unexpected(other),
        }
    }

    async fn list(&self) -> Result<Vec<JobStatus>> {
        match self.ask(Ask::List).await? {
            Answer::List(jobs) => Ok(jobs),
            other => unexpected(other),
        }
    }

    async fn stop(&self, job: &JobId, mode: StopMode) -> Result<()> {
        match self.ask(Ask::Stop(job.clone(), mode)).await? {
            Answer::Done => Ok(()),
            other => unexpected(other),
        }
    }

    async fn savepoint(&self, job: &JobId, dir: Option<String>) -> Result<String> {
        match self.ask(Ask::Savepoint(job.clone(), dir)).await? {
            Answer::Savepoint(path) => Ok(path),
            other => unexpected(other),
        }
    }

    /// A coordinator that goes away meanwhile is waited for: its jobs may go on under the next one.
    async fn wait(&self, job: &JobId) -> Result<JobStatus> {
        let mut gone_since = None;
        loop {
            let asked = tokio::time::Instant::now();
            match self.ask(Ask::Wait(job.clone())).await {
                Ok(Answer::Status(status)) => return Ok(*status),
                Ok(other) => return unexpected(other),
                Err(error) if error.kind == ErrorKind::Network => {
                    // An answer that was long in coming means that there was somebody.
                    if asked.elapsed() > CONNECT_TIMEOUT * 2 {
                        gone_since = None;
                    }
                    let since = *gone_since.get_or_insert_with(|| {
                        tracing::warn!(%job, "the coordinator is gone, waiting for the next one");
                        tokio::time::Instant::now()
                    });
                    if since.elapsed() > ABSENCE {
                        return Err(error);
                    }
                    tokio::time::sleep(ASK_AGAIN).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn results(&self, job: &JobId, _schema: SchemaRef) -> Result<ResultStream> {
        let stream = self
            .client
            .clone()
            .results(seal(job)?)
            .await
            .map_err(hung_up)?;
        let decode = |envelope: Result<Envelope, Status>| {
            let encoded = open::<Result<WireBytes>>(&envelope.map_err(hung_up)?)??;
            decode_batch(&encoded.0)
        };
        Ok(stream.into_inner().map(decode).boxed())
    }
}

#[cfg(test)]
mod tests;
