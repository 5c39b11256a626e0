-- Time goes on behind the rows: windows in event time over what comes out.
--- use directory
--- sql
CREATE VIEW named AS
SELECT o.ts, o.amount, p.name FROM orders AS o
LEFT JOIN people FOR SYSTEM_TIME AS OF o.pt AS p ON o.person = p.id AND o.region = p.region;
SELECT name, window_end, COUNT(*) AS n, SUM(amount) AS total
FROM TABLE(TUMBLE(TABLE named, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY name, window_start, window_end;
--- rows
name | window_end | n | total
ann | 2026-01-01 00:00:10 | 1 | 5
bob | 2026-01-01 00:00:10 | 1 | 7
NULL | 2026-01-01 00:00:10 | 1 | 1
ann | 2026-01-01 00:00:20 | 2 | 13
NULL | 2026-01-01 00:00:20 | 2 | 5
NULL | 2026-01-01 00:00:30 | 1 | 6
