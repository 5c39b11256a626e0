-- The result of sessions in files.
--- use bids
--- sql
CREATE TABLE out_ (bidder BIGINT, w TIMESTAMP(3), n BIGINT) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ SELECT bidder, window_end, COUNT(*)
FROM TABLE(SESSION(TABLE bids PARTITION BY bidder, DESCRIPTOR(ts), INTERVAL '8' SECOND)) GROUP BY bidder, window_start, window_end;
--- rows out_
bidder | w | n
10 | 2026-01-01 00:00:09 | 1
10 | 2026-01-01 00:00:20.5 | 2
10 | 2026-01-01 00:00:41 | 1
11 | 2026-01-01 00:00:12 | 2
11 | 2026-01-01 00:00:23 | 1
12 | 2026-01-01 00:00:16 | 1
12 | 2026-01-01 00:00:28 | 2
