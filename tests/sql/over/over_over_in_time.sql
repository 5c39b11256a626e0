-- Values of values in event time: changes that repeat.
--- use sales
--- sql
SELECT shop, ts FROM (SELECT *, LAG(item) OVER (PARTITION BY shop ORDER BY ts) AS before FROM sales) WHERE item = before OR before IS NULL;
--- rows
shop | ts
NULL | 2026-01-01 00:00:04
a | 2026-01-01 00:00:01
a | 2026-01-01 00:00:09
b | 2026-01-01 00:00:02
c | 2026-01-01 00:00:07.25
