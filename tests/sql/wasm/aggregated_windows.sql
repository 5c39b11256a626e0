-- An aggregate of a module in windows.
--- use bids
--- module example
--- sql
CREATE AGGREGATE FUNCTION total(n BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm';
SELECT window_start, total(price) AS t, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- rows
window_start | t | n
2026-01-01 00:00:00 | 15 | 4
2026-01-01 00:00:10 | 26 | 4
2026-01-01 00:00:20 | 1 | 1
2026-01-01 00:00:30 | 8 | 1
