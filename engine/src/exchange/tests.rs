#![allow(clippy::unwrap_used, clippy::panic)]
use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use arrow::array::{AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::frame::{Frame, Hello};
use super::network::{InletRegistry, Inlets};
use super::*;
use crate::element::{Barrier, BarrierKind, Batch, RowKind};
use crate::graph::{EdgeId, JobId, Partitioning};

fn rows(values: Vec<i64>) -> Batch {
    let schema = Arc::new(Schema::new(vec![Field::new("v", DataType::Int64, true)]));
    Batch::inserts(RecordBatch::try_new(schema, vec![Arc::new(Int64Array::from(values))]).unwrap())
}

fn values(batch: &Batch) -> Vec<i64> {
    batch
        .column(0)
        .as_primitive::<Int64Type>()
        .values()
        .to_vec()
}

fn barrier(checkpoint_id: u64) -> Element {
    Element::Barrier(Barrier {
        checkpoint_id,
        kind: BarrierKind::Checkpoint,
        overtakes_at_ms: None,
    })
}

fn local(channels: usize, window: usize) -> (Vec<ChannelSender>, InputGate) {
    let (queue, receiver) = mpsc::channel(queue_capacity(channels, window));
    let sender = |ordinal| ChannelSender::local(queue.clone(), ordinal, window);
    (
        (0..channels).map(sender).collect(),
        InputGate::new(receiver, channels, true),
    )
}

async fn send(sender: &mut ChannelSender, element: Element) -> Result<()> {
    let mut element = Some(element);
    poll_fn(|context| {
        let cost = element.as_ref().map_or(0, cost);
        ready!(sender.poll_credit(context, cost))?;
        sender.poll_send(context, || element.take().unwrap())
    })
    .await
}

/// What is there now.
fn look(gate: &mut InputGate) -> Option<Arrival> {
    gate.gather();
    gate.try_next()
}

async fn next(gate: &mut InputGate) -> Arrival {
    loop {
        if let Some(arrival) = look(gate) {
            return arrival;
        }
        gate.arrived().await;
    }
}

/// Lets go what can go at once.
fn send_due(output: &mut EdgeOutput, dry: bool) -> Poll<Result<()>> {
    output.poll_send(&mut Context::from_waker(Waker::noop()), dry)
}

#[tokio::test]
async fn a_sender_waits_when_its_credit_is_spent_and_goes_on_when_it_returns() {
    let (mut senders, mut gate) = local(1, 8 << 10);
    send(&mut senders[0], Element::Batch(rows((0..1000).collect())))
        .await
        .unwrap();
    let second = send(&mut senders[0], Element::Batch(rows((0..1000).collect())));
    assert!(
        tokio::time::timeout(Duration::from_millis(50), second)
            .await
            .is_err()
    );
    drop(next(&mut gate).await);
    let second = send(&mut senders[0], Element::Batch(rows((0..1000).collect())));
    tokio::time::timeout(Duration::from_secs(5), second)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_barrier_waits_for_all_channels_and_holds_back_what_follows_it() {
    let (mut senders, mut gate) = local(2, 1 << 20);
    send(&mut senders[0], barrier(1)).await.unwrap();
    send(&mut senders[0], Element::Batch(rows(vec![2])))
        .await
        .unwrap();
    assert!(
        look(&mut gate).is_none(),
        "channel 0 is aligned, channel 1 has sent nothing"
    );
    send(&mut senders[1], Element::Batch(rows(vec![1])))
        .await
        .unwrap();
    send(&mut senders[1], barrier(1)).await.unwrap();
    let mut seen = Vec::new();
    while let Some(arrival) = look(&mut gate) {
        seen.push(match arrival {
            Arrival::Element {
                element: Element::Batch(b),
                ..
            } => format!("{:?}", values(&b)),
            Arrival::Barrier(b) => format!("barrier {}", b.checkpoint_id),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(seen, ["[1]", "barrier 1", "[2]"]);
}

#[tokio::test]
async fn rows_pile_up_only_while_the_consumer_is_busy_and_keys_stay_together() {
    let (senders, mut gate) = local(2, 1 << 20);
    let schema = rows(vec![]).schema();
    let mut output = EdgeOutput::new(
        0,
        Partitioning::Hash(vec![0]),
        schema,
        128,
        1 << 20,
        senders,
    );
    output.push(rows((0..100).collect())).unwrap();
    assert!(send_due(&mut output, false).is_ready());
    let mut first = Vec::new();
    while let Some(arrival) = look(&mut gate) {
        first.push(arrival);
    }
    assert_eq!(first.len(), 2, "both consumers were free");
    output.push(rows((0..100).collect())).unwrap();
    assert!(send_due(&mut output, false).is_ready());
    output.push(rows((0..100).collect())).unwrap();
    assert!(send_due(&mut output, false).is_ready());
    assert!(
        look(&mut gate).is_none(),
        "both are busy: the first arrivals are not yet dropped"
    );
    assert!(send_due(&mut output, true).is_ready());
    let mut by_channel: HashMap<usize, Vec<i64>> = HashMap::new();
    while let Some(Arrival::Element {
        channel,
        element: Element::Batch(b),
        ..
    }) = look(&mut gate)
    {
        by_channel.entry(channel).or_default().extend(values(&b));
    }
    assert_eq!(by_channel.values().map(Vec::len).sum::<usize>(), 200);
    let (a, b) = (&by_channel[&0], &by_channel[&1]);
    assert!(a.iter().all(|v| !b.contains(v)));
}

fn overtaking(checkpoint_id: u64, at_ms: i64) -> Barrier {
    Barrier {
        checkpoint_id,
        kind: BarrierKind::Checkpoint,
        overtakes_at_ms: Some(at_ms),
    }
}

fn numbers(elements: &[Element]) -> Vec<i64> {
    let rows = elements.iter().filter_map(|e| match e {
        Element::Batch(batch) => Some(values(batch)),
        _ => None,
    });
    rows.flatten().collect()
}

/// Everything that is there, as numbers and barriers.
fn all(gate: &mut InputGate) -> Vec<String> {
    let arrival = |arrival| match arrival {
        Arrival::Element { element, .. } => match element {
            Element::Batch(batch) => format!("{:?}", values(&batch)),
            other => format!("{other:?}"),
        },
        Arrival::Barrier(b) => format!("barrier {}", b.checkpoint_id),
    };
    std::iter::from_fn(|| look(gate)).map(arrival).collect()
}

#[tokio::test]
async fn a_barrier_overtakes_at_the_gate_and_what_it_overtook_is_recorded() {
    let (mut senders, mut gate) = local(2, 1 << 20);
    let batch = |v| Element::Batch(rows(vec![v]));
    send(&mut senders[0], batch(1)).await.unwrap();
    send(&mut senders[0], Element::Barrier(overtaking(1, 50)))
        .await
        .unwrap();
    send(&mut senders[0], batch(2)).await.unwrap();
    send(&mut senders[1], batch(3)).await.unwrap();
    assert!(gate.overtake(50).is_none(), "nothing has been taken in yet");
    gate.watch().await;
    assert_eq!(all(&mut gate), ["[1]", "[3]"], "2 waits behind the barrier");
    send(&mut senders[1], batch(4)).await.unwrap();
    gate.watch().await;
    assert_eq!(gate.overtakes_at_ms(), Some(50));
    assert!(gate.overtake(49).is_none());
    assert_eq!(gate.overtake(50), Some(overtaking(1, 50)));
    assert!(
        gate.overtaken(1).is_none(),
        "channel 1 may still have something"
    );
    assert_eq!(all(&mut gate), ["[2]", "[4]"], "nothing waits any more");
    send(&mut senders[1], batch(5)).await.unwrap();
    send(&mut senders[1], Element::Barrier(overtaking(1, 50)))
        .await
        .unwrap();
    send(&mut senders[1], batch(6)).await.unwrap();
    assert_eq!(all(&mut gate), ["[5]", "[6]"]);
    let recorded = gate.overtaken(1).unwrap();
    assert_eq!(
        recorded.iter().map(|r| numbers(r)).collect::<Vec<_>>(),
        [vec![], vec![4, 5]]
    );
    assert!(gate.overtake(99).is_none(), "once");
}

#[tokio::test]
async fn a_barrier_that_comes_in_its_turn_everywhere_overtakes_nothing() {
    let (mut senders, mut gate) = local(2, 1 << 20);
    for (sender, v) in senders.iter_mut().zip([1, 2]) {
        send(sender, Element::Batch(rows(vec![v]))).await.unwrap();
        send(sender, Element::Barrier(overtaking(7, 100)))
            .await
            .unwrap();
    }
    assert_eq!(all(&mut gate), ["[1]", "[2]", "barrier 7"]);
    assert!(gate.overtake(100).is_none());
    assert_eq!(gate.overtakes_at_ms(), None);
}

#[tokio::test]
async fn a_newer_barrier_gives_an_older_one_up_and_loses_no_row() {
    let (mut senders, mut gate) = local(2, 1 << 20);
    let batch = |v| Element::Batch(rows(vec![v]));
    // Channel 1 never gets barrier 1.
    for element in [barrier(1), batch(1), barrier(2), batch(2)] {
        send(&mut senders[0], element).await.unwrap();
    }
    assert!(all(&mut gate).is_empty());
    for element in [batch(3), barrier(2), batch(4)] {
        send(&mut senders[1], element).await.unwrap();
    }
    let mut seen = all(&mut gate);
    assert_eq!(seen.remove(2), "barrier 2", "{seen:?}");
    seen.sort();
    assert_eq!(seen, ["[1]", "[2]", "[3]", "[4]"]);
}

#[tokio::test]
async fn a_barrier_overtakes_what_waits_for_credit_and_leaves_the_rest_in_order() {
    let (senders, mut gate) = local(1, 1 << 10);
    let schema = rows(vec![]).schema();
    let mut output = EdgeOutput::new(3, Partitioning::Forward, schema, 128, 64, senders);
    for at in 0..4 {
        output
            .push(rows((at * 64..at * 64 + 64).collect()))
            .unwrap();
        let _ = send_due(&mut output, false);
    }
    assert!(output.is_full());
    output.broadcast(&Element::Watermark(9)).unwrap();
    output
        .broadcast(&Element::Barrier(overtaking(5, 0)))
        .unwrap();
    output.push(rows(vec![-1])).unwrap();
    assert!(output.holds(5));
    let overtaken = output.overtake(overtaking(5, 0));
    assert!(!output.holds(5));
    let [(3, ahead)] = &overtaken[..] else {
        panic!("{overtaken:?}")
    };
    assert_eq!(ahead.last(), Some(&Element::Watermark(9)));
    let _ = send_due(&mut output, false);
    while gate.overtakes_at_ms().is_none() {
        gate.watch().await;
    }
    gate.overtake(0).unwrap();
    let recorded = gate.overtaken(5).unwrap();
    let mut sent: Vec<i64> = Vec::new();
    while sent.last() != Some(&-1) {
        while let Some(Arrival::Element { element, .. }) = look(&mut gate) {
            sent.extend(numbers(&[element]));
        }
        let _ = send_due(&mut output, true);
    }
    assert_eq!(sent, (0..256).chain([-1]).collect::<Vec<_>>());
    // What the gate had, and what the output had: everything in front of the barrier not yet taken.
    let mut both = numbers(&recorded[0]);
    both.extend(numbers(ahead));
    assert_eq!(both.last(), Some(&255));
    assert!(both.windows(2).all(|w| w[1] == w[0] + 1), "{both:?}");
}

/// A channel of 4 KiB of credit over a real connection: its ends, what failed, and what ends it.
struct Connected {
    sender: ChannelSender,
    receiver: mpsc::Receiver<Delivery>,
    failures: mpsc::Receiver<crate::error::EngineError>,
    _stop: tokio_util::sync::DropGuard,
}

async fn connected() -> Connected {
    let channel = ChannelId {
        edge: EdgeId(3),
        from: 1,
        to: 0,
    };
    let (window, job, stop) = (4 << 10, JobId("j".into()), CancellationToken::new());
    let (queue, receiver) = mpsc::channel(queue_capacity(1, window));
    let gates = Arc::new(HashMap::from([(channel, (queue, 0))]));
    let registry = InletRegistry::default();
    registry.insert(
        job.clone(),
        1,
        Inlets {
            gates,
            stop: stop.clone(),
        },
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(network::listen(listener, registry, stop.clone()));

    let credits = Arc::new(Semaphore::new(window));
    let all = Arc::new(HashMap::from([(channel, Arc::clone(&credits))]));
    let hello = Hello {
        version: crate::VERSION.into(),
        job,
        attempt: 1,
        worker: "w".into(),
    };
    let (failed, failures) = mpsc::channel(1);
    let connection = network::connect(&address, &hello, all, stop.clone(), failed)
        .await
        .unwrap();
    Connected {
        sender: ChannelSender::remote(connection, channel, credits, window),
        receiver,
        failures,
        _stop: stop.drop_guard(),
    }
}

#[tokio::test]
async fn a_connection_carries_elements_one_way_and_credit_the_other() {
    let Connected {
        mut sender,
        receiver,
        mut failures,
        _stop,
    } = connected().await;

    let producer = tokio::spawn(async move {
        for i in 0..200 {
            send(
                &mut sender,
                Element::Batch(rows((i * 100..i * 100 + 100).collect())),
            )
            .await
            .unwrap();
        }
        send(&mut sender, Element::EndOfInput).await.unwrap();
        sender
    });
    let mut gate = InputGate::new(receiver, 1, false);
    let mut seen = Vec::new();
    loop {
        match next(&mut gate).await {
            Arrival::Element {
                element: Element::Batch(b),
                ..
            } => seen.extend(values(&b)),
            Arrival::Element {
                element: Element::EndOfInput,
                ..
            } => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, (0..20_000).collect::<Vec<_>>());
    let sender = producer.await.unwrap();
    for _ in 0..100 {
        if sender.is_free() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(sender.is_free(), "all credit came back");
    assert!(failures.try_recv().is_err());
}

/// Otherwise its network error could reach the coordinator before the reason does.
#[tokio::test]
async fn a_consumer_that_is_gone_does_not_fail_its_producer() {
    let Connected {
        mut sender,
        receiver,
        mut failures,
        _stop,
    } = connected().await;
    drop(receiver);
    for _ in 0..100 {
        let sent = send(&mut sender, Element::Batch(rows((0..100).collect())));
        let sent = tokio::time::timeout(Duration::from_secs(10), sent).await;
        sent.unwrap().unwrap();
    }
    assert!(failures.try_recv().is_err());
}

#[tokio::test]
async fn garbage_ends_a_connection_and_nothing_else() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    tokio::spawn(network::listen(
        listener,
        InletRegistry::default(),
        stop.clone(),
    ));
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xFF; 64], &frame::MAGIC] {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest));
        // A reset is as good an end as a close.
        let _ = ended.await.unwrap();
        assert!(rest.is_empty());
    }
}

#[test]
fn every_element_survives_its_frame() {
    let updated = Batch::with_kinds(
        rows(vec![1, 2]).rows().clone(),
        vec![RowKind::UpdateBefore, RowKind::UpdateAfter],
    );
    let channel = ChannelId {
        edge: EdgeId(9),
        from: 2,
        to: 5,
    };
    for element in [
        Element::Batch(rows(vec![7, 8])),
        Element::Batch(updated.unwrap()),
        Element::Watermark(-5),
        barrier(u64::MAX),
        Element::Barrier(overtaking(3, -7)),
        Element::Idle,
        Element::EndOfInput,
    ] {
        let mut bytes = BytesMut::new();
        let frame = Frame::Element {
            channel,
            cost: 77,
            element: element.clone(),
        };
        frame::encode(&frame, &mut bytes).unwrap();
        let body = bytes.freeze().slice(4..);
        let Frame::Element {
            channel: c,
            cost: 77,
            element: e,
        } = frame::decode(body).unwrap()
        else {
            panic!("another frame came out")
        };
        assert_eq!((c, e), (channel, element));
    }
}

proptest! {
    #[test]
    fn a_mutated_frame_is_an_error_or_another_frame_but_never_a_panic(
        at in 0usize..400, to in any::<u8>(), cut in 0usize..400,
    ) {
        let channel = ChannelId { edge: EdgeId(0), from: 0, to: 0 };
        let mut bytes = BytesMut::new();
        let element = Element::Batch(rows(vec![1, 2, 3]));
        frame::encode(&Frame::Element { channel, cost: 1, element }, &mut bytes).unwrap();
        let mut body = bytes[4..].to_vec();
        let at = at % body.len();
        body[at] = to;
        body.truncate(body.len() - cut % body.len());
        let _ = frame::decode(Bytes::from(body));
    }
}
