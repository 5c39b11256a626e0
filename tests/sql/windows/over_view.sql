-- A window over a view that filters and renames.
--- use bids
--- sql
CREATE VIEW pens AS SELECT ts AS at_time, price * 10 AS cents FROM bids WHERE item = 'pen';
SELECT window_start, SUM(cents) AS s
FROM TABLE(TUMBLE(TABLE pens, DESCRIPTOR(at_time), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- rows
window_start | s
2026-01-01 00:00:00 | 80
2026-01-01 00:00:20 | 10
