-- What is given of a window is given once, so files take it.
--- use bids
--- sql
CREATE TABLE out_ (ws TIMESTAMP(3), bidder BIGINT, total INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ SELECT window_start, bidder, total FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY total DESC NULLS LAST, bidder) AS rn FROM (
    SELECT window_start, window_end, bidder, SUM(price) AS total FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, bidder)
) WHERE rn = 1;
--- rows out_
ws | bidder | total
2026-01-01 00:00:00 | 11 | 10
2026-01-01 00:00:10 | 10 | 13
2026-01-01 00:00:20 | 12 | 1
2026-01-01 00:00:30 | 10 | 8
