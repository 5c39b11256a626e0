-- TIMESTAMP, the latest first.
--- use sales
--- sql
SELECT id, ts FROM (
  SELECT *, ROW_NUMBER() OVER (ORDER BY ts DESC) AS rn FROM sales
) WHERE rn <= 3;
--- rows
id | ts
6 | 2026-01-01 00:00:12
9 | 2026-01-01 00:00:10
11 | 2026-01-01 00:00:11
