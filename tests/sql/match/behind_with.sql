-- A query with a name as the input, an aggregation and a condition on the partition behind it.
--- use ticks
--- sql
WITH t AS (SELECT sym, price + 0 AS p, ts FROM ticks WHERE id > 0)
SELECT sym, COUNT(*) AS n, MAX(h) AS top FROM t MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES H.p AS h
  PATTERN (L H)
  DEFINE L AS p < 20, H AS p >= 20
) AS m WHERE sym <> 'oak' GROUP BY sym;
--- rows
sym | n | top
ash | 2 | 24
