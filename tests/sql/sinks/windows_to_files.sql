-- The result of windows in files.
--- use bids
--- sql
CREATE TABLE out_ (auction BIGINT, w TIMESTAMP(3), n BIGINT, s BIGINT) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ SELECT auction, window_end, COUNT(*), SUM(price)
FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '20' SECOND)) GROUP BY auction, window_start, window_end;
--- rows out_
auction | w | n | s
1 | 2026-01-01 00:00:10 | 2 | 8
1 | 2026-01-01 00:00:20 | 3 | 17
1 | 2026-01-01 00:00:30 | 2 | 10
1 | 2026-01-01 00:00:40 | 1 | 1
2 | 2026-01-01 00:00:10 | 1 | 7
2 | 2026-01-01 00:00:20 | 3 | 18
2 | 2026-01-01 00:00:30 | 2 | 11
3 | 2026-01-01 00:00:10 | 1 | NULL
3 | 2026-01-01 00:00:20 | 1 | NULL
3 | 2026-01-01 00:00:40 | 1 | 8
3 | 2026-01-01 00:00:50 | 1 | 8
NULL | 2026-01-01 00:00:20 | 1 | 6
NULL | 2026-01-01 00:00:30 | 1 | 6
