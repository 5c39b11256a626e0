//! Connections between workers: many channels each, elements one way, credit the other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::frame::{self, Frame, Hello, MAGIC, MAX_FRAME, MAX_HELLO};
use super::{Credit, CreditOwner, Delivery};
use crate::element::Element;
use crate::error::{EngineError, Result};
use crate::graph::JobId;
use crate::graph::execution::ChannelId;

/// How many frames may wait for a connection's socket.
const OUTGOING_FRAMES: usize = 64;

/// An element on its way to another process.
#[derive(Debug)]
pub struct Outgoing {
    /// The channel.
    pub channel: ChannelId,
    /// The credit that it cost, in bytes.
    pub cost: usize,
    /// The element.
    pub element: Element,
}

/// Credit that waits to go back over a connection; one sum per channel, so it is bounded.
#[derive(Debug, Default)]
pub struct Grants {
    sums: Mutex<HashMap<ChannelId, usize>>,
    wake: Notify,
}

impl Grants {
    /// Adds credit for a channel.
    pub fn grant(&self, channel: ChannelId, bytes: usize) {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        *sums.entry(channel).or_default() += bytes;
        drop(sums);
        self.wake.notify_one();
    }

    fn take(&self) -> Vec<(ChannelId, usize)> {
        self.sums
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain()
            .collect()
    }
}

/// The sending credit of the channels of one connection.
pub type Credits = Arc<HashMap<ChannelId, Arc<Semaphore>>>;

/// Connects to another worker for one run of a job. The connection lives until `stop` or an
/// error, which `failed` then carries; the returned queue feeds it.
pub async fn connect(
    address: &str,
    hello: &Hello,
    credits: Credits,
    stop: CancellationToken,
    failed: mpsc::Sender<EngineError>,
) -> Result<mpsc::Sender<Outgoing>> {
    let refused = |e: std::io::Error| {
        EngineError::network(format!("cannot connect to worker {address}"))
            .with_detail(e.to_string())
    };
    let mut stream = TcpStream::connect(address).await.map_err(refused)?;
    stream.set_nodelay(true).map_err(refused)?;
    let greeting = serde_json::to_vec(hello).map_err(|e| EngineError::internal(e.to_string()))?;
    let mut bytes = BytesMut::new();
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&(greeting.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&greeting);
    stream.write_all(&bytes).await.map_err(refused)?;
    let (reader, writer) = stream.into_split();
    let (queue, outgoing) = mpsc::channel(OUTGOING_FRAMES);
    let address = address.to_string();
    tokio::spawn(async move {
        let result = tokio::select! {
            () = stop.cancelled() => Ok(()),
            result = write_elements(writer, outgoing) => result,
            result = read_grants(reader, credits) => result,
        };
        if let Err(error) = result {
            let error = error.at(&format!("connection to worker {address}"));
            // Nobody listening means that the job has ended already.
            let _ = failed.send(error).await;
        }
    });
    Ok(queue)
}

async fn write_elements(
    mut writer: OwnedWriteHalf,
    mut outgoing: mpsc::Receiver<Outgoing>,
) -> Result<()> {
    let mut buffer = BytesMut::with_capacity(64 << 10);
    while let Some(Outgoing {
        channel,
        cost,
        element,
    }) = outgoing.recv().await
    {
        let frame = Frame::Element {
            channel,
            cost: cost as u32,
            element,
        };
        frame::encode(&frame, &mut buffer)?;
        // What else waits goes out in the same write.
        while buffer.len() < 256 << 10
            && let Ok(Outgoing {
                channel,
                cost,
                element,
            }) = outgoing.try_recv()
        {
            frame::encode(
                &Frame::Element {
                    channel,
                    cost: cost as u32,
                    element,
                },
                &mut buffer,
            )?;
        }
        writer.write_all(&buffer).await.map_err(broken)?;
        buffer.clear();
    }
    // The job's subtasks are gone; their consumers have had everything.
    std::future::pending().await
}

async fn read_grants(reader: OwnedReadHalf, credits: Credits) -> Result<()> {
    let mut reader = tokio::io::BufReader::new(reader);
    loop {
        match read_frame(&mut reader).await? {
            Frame::Grant { channel, bytes } => match credits.get(&channel) {
                Some(semaphore) if semaphore.available_permits() <= MAX_FRAME => {
                    semaphore.add_permits(bytes as usize);
                }
                _ => {
                    return Err(EngineError::network(
                        "credit for an unknown channel arrived",
                    ));
                }
            },
            Frame::Element { .. } => {
                return Err(EngineError::network(
                    "an element arrived where only credit may",
                ));
            }
        }
    }
}

async fn read_frame<R: AsyncRead + Unpin>(reader: &mut R) -> Result<Frame> {
    let length = reader.read_u32_le().await.map_err(broken)? as usize;
    if length == 0 || length > MAX_FRAME {
        return Err(EngineError::network(format!(
            "a frame of {length} bytes was announced"
        )));
    }
    // The buffer grows with what arrives, so a false length costs no memory.
    let mut body = Vec::with_capacity(length.min(1 << 20));
    let read = reader
        .take(length as u64)
        .read_to_end(&mut body)
        .await
        .map_err(broken)?;
    if read != length {
        return Err(EngineError::network("the connection ended within a frame"));
    }
    frame::decode(body.into())
}

fn broken(error: std::io::Error) -> EngineError {
    EngineError::network("the connection broke").with_detail(error.to_string())
}

/// Where the channels of one run of a job end in this process.
#[derive(Clone)]
pub struct Inlets {
    /// The gate's queue and the channel's ordinal there, by channel.
    pub gates: Arc<HashMap<ChannelId, (mpsc::Sender<Delivery>, usize)>>,
    /// Cancelled when the run ends; its connections close then.
    pub stop: CancellationToken,
}

/// The runs of jobs that accept connections, shared by the listener and the worker.
#[derive(Clone, Default)]
pub struct InletRegistry(Arc<Mutex<HashMap<(JobId, u32), Inlets>>>);

impl InletRegistry {
    /// Opens the channels of a run.
    pub fn insert(&self, job: JobId, attempt: u32, inlets: Inlets) {
        self.lock().insert((job, attempt), inlets);
    }

    /// Closes the channels of a run.
    pub fn remove(&self, job: &JobId, attempt: u32) {
        if let Some(inlets) = self.lock().remove(&(job.clone(), attempt)) {
            inlets.stop.cancel();
        }
    }

    fn get(&self, job: &JobId, attempt: u32) -> Option<Inlets> {
        self.lock().get(&(job.clone(), attempt)).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<(JobId, u32), Inlets>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Accepts connections of other workers until `stop`.
pub async fn listen(listener: TcpListener, registry: InletRegistry, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file handles, for instance: others may be closed meanwhile.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        let (registry, stop) = (registry.clone(), stop.clone());
        tokio::spawn(async move {
            let served = tokio::select! {
                () = stop.cancelled() => Ok(()),
                served = serve(stream, registry) => served,
            };
            if let Err(error) = served {
                tracing::warn!(%peer, "a data connection ended: {}", error.message);
            }
        });
    }
}

async fn serve(mut stream: TcpStream, registry: InletRegistry) -> Result<()> {
    stream.set_nodelay(true).map_err(broken)?;
    let greeting =
        tokio::time::timeout(std::time::Duration::from_secs(10), read_hello(&mut stream));
    let hello = greeting
        .await
        .map_err(|_| EngineError::network("no greeting arrived"))??;
    let inlets = registry.get(&hello.job, hello.attempt).ok_or_else(|| {
        let run = format!("run {} of job {}", hello.attempt, hello.job);
        EngineError::network(format!(
            "worker {} asked for {run}, which is not here",
            hello.worker
        ))
    })?;
    let grants = Arc::new(Grants::default());
    let (reader, writer) = stream.into_split();
    tokio::select! {
        () = inlets.stop.cancelled() => Ok(()),
        result = read_elements(reader, &inlets, &grants) => result,
        result = write_grants(writer, &grants) => result,
    }
}

async fn read_hello(stream: &mut TcpStream) -> Result<Hello> {
    let mut magic = [0u8; 8];
    stream.read_exact(&mut magic).await.map_err(broken)?;
    if magic != MAGIC {
        return Err(EngineError::network(
            "it does not speak Levada's data protocol",
        ));
    }
    let length = stream.read_u32_le().await.map_err(broken)? as usize;
    if length > MAX_HELLO {
        return Err(EngineError::network("its greeting is too long"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.map_err(broken)?;
    let hello: Hello = serde_json::from_slice(&body).map_err(|e| {
        EngineError::network("its greeting is malformed").with_detail(e.to_string())
    })?;
    if hello.version != crate::VERSION {
        let theirs = format!("worker {} has version {}", hello.worker, hello.version);
        return Err(EngineError::network(format!(
            "{theirs}, this is {}",
            crate::VERSION
        )));
    }
    Ok(hello)
}

async fn read_elements(reader: OwnedReadHalf, inlets: &Inlets, grants: &Arc<Grants>) -> Result<()> {
    let mut reader = tokio::io::BufReader::with_capacity(256 << 10, reader);
    loop {
        let Frame::Element {
            channel,
            cost,
            element,
        } = read_frame(&mut reader).await?
        else {
            return Err(EngineError::network(
                "credit arrived where only elements may",
            ));
        };
        let Some((queue, ordinal)) = inlets.gates.get(&channel) else {
            return Err(EngineError::network(
                "an element for an unknown channel arrived",
            ));
        };
        let credit = Credit(
            CreditOwner::Remote(Arc::clone(grants), channel),
            cost as usize,
        );
        let delivery = Delivery {
            channel: *ordinal,
            element,
            credit,
        };
        match queue.try_send(delivery) {
            Ok(()) => {}
            // The consumer has failed, and says why itself. Until the coordinator ends the run its
            // producers must not fail too: what they would say might come first.
            Err(TrySendError::Closed(delivery)) => drop(delivery),
            // Nobody needs the barrier of a checkpoint that others have followed already.
            Err(TrySendError::Full(Delivery {
                element: Element::Barrier(_),
                ..
            })) if cost == 0 => {}
            // The queue has room for all credit that was granted.
            Err(TrySendError::Full(_)) => {
                return Err(EngineError::network("more was sent than was granted"));
            }
        }
    }
}

async fn write_grants(mut writer: OwnedWriteHalf, grants: &Grants) -> Result<()> {
    let mut buffer = BytesMut::new();
    loop {
        grants.wake.notified().await;
        for (channel, bytes) in grants.take() {
            frame::encode(
                &Frame::Grant {
                    channel,
                    bytes: bytes as u32,
                },
                &mut buffer,
            )?;
        }
        writer.write_all(&buffer).await.map_err(broken)?;
        buffer.clear();
    }
}
