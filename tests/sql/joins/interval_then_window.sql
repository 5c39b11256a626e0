-- Windows of what an interval join gives, on the time of the left table.
--- use payments
--- sql
CREATE VIEW pairs AS SELECT o.id, o.ts, p.ts AS paid_at FROM placed AS o JOIN payments AS p
ON o.customer = p.customer AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '8' SECOND;
SELECT window_start, COUNT(*) AS n, MAX(id) AS latest FROM TABLE(TUMBLE(TABLE pairs, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY window_start, window_end;
--- rows
window_start | n | latest
2026-01-01 00:00:00 | 6 | 3
2026-01-01 00:00:10 | 2 | 9
2026-01-01 00:00:20 | 1 | 8
