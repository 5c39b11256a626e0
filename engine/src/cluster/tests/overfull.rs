//! A sink that holds much for the next checkpoint.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_comes_early_when_a_sink_holds_much_for_it() {
    // Of the two sinks each gets half of the rows, and may hold thirty-two of them.
    let bench = bench_of_heavy_rows(2000, Duration::from_millis(10), 1 << 20);
    let cluster = Embedded::start(8, bench.checkpoints(), bench.environment.clone());
    let hour = Some(3_600_000);
    let status = run(&cluster.client(), graph(2, 2, false, hour)).await;
    assert_eq!(status.state, JobState::Finished, "{:?}", status.error);
    assert_eq!(bench.sorted(), expected(2, 2000));
    // The last one comes at the end of the input.
    let completed = status.checkpoints.completed;
    assert!(completed >= 3, "{completed} checkpoints");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn otherwise_it_comes_in_time() {
    let bench = bench_of_heavy_rows(2000, Duration::from_millis(1), 1);
    let cluster = Embedded::start(8, bench.checkpoints(), bench.environment.clone());
    let hour = Some(3_600_000);
    let status = run(&cluster.client(), graph(2, 2, false, hour)).await;
    assert_eq!(bench.sorted(), expected(2, 2000));
    assert_eq!(status.checkpoints.completed, 1);
}
