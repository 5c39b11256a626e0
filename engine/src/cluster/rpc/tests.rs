#![allow(clippy::unwrap_used, clippy::panic)]
use std::sync::Arc;

use super::*;
use crate::control::{Registration, WorkerId};
use crate::coordinator::{self, CoordinatorConfig};
use crate::time::SystemClock;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_of_another_version_is_refused_and_told_why() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let stop = CancellationToken::new();
    let config = CoordinatorConfig {
        checkpoint_dir: None,
        registry: None,
        failpoints: Default::default(),
        id_seed: 1,
    };
    let inputs = coordinator::start(config, Arc::new(SystemClock), stop.clone());
    let workers = LocalClient::new(inputs.clone());
    tokio::spawn(serve(listener, inputs, stop.clone()));
    let registration = ToCoordinator::Register(Registration {
        worker: WorkerId("old".into()),
        version: crate::VERSION.into(),
        slots: 2,
        data_address: None,
    });
    let mut envelope = seal(&registration).unwrap();
    envelope.version = "0.0.9".into();
    let outgoing = futures::stream::iter([envelope]).chain(futures::stream::pending());
    let mut client = client(dial(&address).await.unwrap());
    let mut answers = client.work(outgoing).await.unwrap().into_inner();
    let answer = answers.next().await.unwrap().unwrap();
    let ToWorker::Refused(error) = open(&answer).unwrap() else {
        panic!("it was taken");
    };
    assert_eq!(error.code(), "LV-2001");
    assert!(error.message.contains("0.0.9") && error.message.contains(crate::VERSION));
    assert!(error.hint.is_some(), "{error:?}");
    assert!(workers.workers().await.unwrap().is_empty());

    // What the worker gets is of another version to it; it gives up and does not try again.
    let stranger = Envelope {
        version: "9.9.9".into(),
        payload: answer.payload,
    };
    let error = open::<ToWorker>(&stranger).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config);
    stop.cancel();
}
