-- Rows that only come keep their time, so windows can be on what tells of them.
--- use sales
--- sql
CREATE VIEW log AS SELECT * FROM TO_CHANGELOG(input => TABLE sales);
SELECT window_end, COUNT(*) AS n, MIN(op) AS op FROM TABLE(TUMBLE(TABLE log, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY window_start, window_end;
--- rows
window_end | n | op
2026-01-01 00:00:05 | 4 | INSERT
2026-01-01 00:00:10 | 5 | INSERT
2026-01-01 00:00:15 | 3 | INSERT
