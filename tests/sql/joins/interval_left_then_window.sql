-- Windows of what a LEFT JOIN in an interval gives: of each, how many orders were paid.
--- use payments
--- sql
CREATE VIEW pairs AS SELECT o.id, o.ts, p.id AS payment FROM placed AS o LEFT JOIN payments AS p
ON o.customer = p.customer AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '8' SECOND;
SELECT window_start, COUNT(*) AS n, COUNT(payment) AS paid FROM TABLE(TUMBLE(TABLE pairs, DESCRIPTOR(ts), INTERVAL '5' SECOND))
GROUP BY window_start, window_end;
--- rows
window_start | n | paid
2026-01-01 00:00:00 | 6 | 6
2026-01-01 00:00:05 | 2 | 0
2026-01-01 00:00:10 | 2 | 1
2026-01-01 00:00:15 | 1 | 1
2026-01-01 00:00:20 | 1 | 1
2026-01-01 00:00:30 | 1 | 0
