//! The metrics page.

use std::sync::{Arc, PoisonError};

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::client::JobClient;
use crate::coordinator::{LocalClient, render_memory, render_metrics};
use crate::state::Resources;
use crate::time::Clock;
use crate::worker::MetricsTable;

/// Whose metrics are shown.
#[derive(Clone)]
pub(super) enum Page {
    Coordinator(LocalClient),
    Worker(MetricsTable, Arc<Resources>),
}

/// Serves `/metrics` until `stop`.
pub(super) fn serve(
    listener: TcpListener,
    page: Page,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    let metrics = get(move || {
        let (page, now_ms) = (page.clone(), clock.now_ms());
        async move {
            (
                [("content-type", "text/plain; version=0.0.4")],
                page.render(now_ms).await,
            )
        }
    });
    let router = Router::new().route("/metrics", metrics);
    tokio::spawn(async move {
        let server = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = server.await {
            tracing::warn!("the metrics page ended: {error}");
        }
    });
}

impl Page {
    async fn render(&self, now_ms: i64) -> String {
        match self {
            Page::Coordinator(client) => coordinator_page(client, now_ms).await,
            Page::Worker(table, resources) => {
                worker_page(table, now_ms) + &render_memory(resources)
            }
        }
    }
}

async fn coordinator_page(client: &LocalClient, now_ms: i64) -> String {
    let jobs = client.list().await.unwrap_or_default();
    let workers = client.workers().await.unwrap_or_default();
    let sum = |(total, free), (_, t, f): &(_, u32, u32)| (total + t, free + f);
    let slots = workers.iter().fold((0, 0), sum);
    let mut rows = Vec::new();
    for job in jobs.iter().filter(|j| !j.state.is_terminal()) {
        for vertex in &job.vertices {
            let labels = vec![("job", job.id.0.clone()), ("vertex", vertex.name.clone())];
            rows.push((labels, vertex.metrics.clone()));
        }
    }
    render_metrics(&rows, &jobs, Some(slots), now_ms)
}

fn worker_page(table: &MetricsTable, now_ms: i64) -> String {
    let table = table.lock().unwrap_or_else(PoisonError::into_inner);
    let mut rows = Vec::new();
    for ((run, subtask), (vertex, metrics)) in table.iter() {
        let labels = vec![
            ("job", run.job.0.clone()),
            ("vertex", vertex.clone()),
            ("subtask", subtask.index.to_string()),
        ];
        rows.push((labels, metrics.snapshot()));
    }
    drop(table);
    render_metrics(&rows, &[], None, now_ms)
}
