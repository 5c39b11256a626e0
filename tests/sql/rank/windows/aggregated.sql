-- Windows are aggregated once more when their last bids are known.
--- use bids
--- sql
CREATE VIEW lasts AS SELECT * FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
QUALIFY ROW_NUMBER() OVER (PARTITION BY window_start, window_end, bidder ORDER BY ts DESC) = 1;
SELECT window_start, SUM(price) AS s, COUNT(*) AS n FROM lasts GROUP BY window_start, window_end;
--- rows
window_start | s | n
2026-01-01 00:00:00 | 12 | 3
2026-01-01 00:00:10 | 17 | 3
2026-01-01 00:00:20 | 1 | 1
2026-01-01 00:00:30 | 8 | 1
