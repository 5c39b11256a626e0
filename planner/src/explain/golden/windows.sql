CREATE TABLE bids (
  auction BIGINT,
  bidder BIGINT,
  price BIGINT,
  extra STRING,
  ts TIMESTAMP(3),
  pt AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH ('connector' = 'stream');
SET 'parallelism.default' = '2';
EXPLAIN SELECT window_start, window_end, auction, COUNT(*) AS n, MAX(price + 1) AS top
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
WHERE price > 5
GROUP BY window_start, window_end, auction HAVING COUNT(*) > 1;
EXPLAIN CHANGELOG_MODE SELECT auction, COUNT(DISTINCT bidder), TUMBLE_START(ts, INTERVAL '1' MINUTE)
FROM bids GROUP BY auction, TUMBLE(ts, INTERVAL '1' MINUTE);
EXPLAIN JOB GRAPH SELECT window_start, window_end, bidder, COUNT(*)
FROM TABLE(SESSION(TABLE bids PARTITION BY bidder, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY window_start, window_end, bidder;
EXPLAIN CHANGELOG_MODE SELECT window_end, MAX(n) FROM (
  SELECT window_start, window_end, auction, COUNT(*) AS n
  FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
  GROUP BY window_start, window_end, auction
) GROUP BY window_start, window_end;
EXPLAIN SELECT *, price + 1 AS more FROM TABLE(CUMULATE(TABLE bids, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '10' SECOND)) WHERE window_start < window_end;
EXPLAIN CHANGELOG_MODE SELECT auction, SUM(c) FROM (SELECT auction, bidder, COUNT(*) c FROM bids GROUP BY auction, bidder) GROUP BY auction;
EXPLAIN CHANGELOG_MODE SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(pt), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
