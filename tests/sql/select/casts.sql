-- CAST between numbers, texts and times; TRY_CAST gives NULL where CAST would fail.
--- file t.csv
12
-3
x
--- sql
CREATE TABLE t (s STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.csv', 'format' = 'csv');
SELECT s, TRY_CAST(s AS INT) AS n, CAST(TRY_CAST(s AS INT) AS STRING) AS back, CAST(TRY_CAST(s AS INT) AS DOUBLE) AS d,
  CAST(TRY_CAST(s AS INT) AS DECIMAL(6, 2)) AS e, CAST('2026-02-03' AS DATE) AS day FROM t;
--- rows
s | n | back | d | e | day
12 | 12 | 12 | 12.0 | 12.00 | 2026-02-03
-3 | -3 | -3 | -3.0 | -3.00 | 2026-02-03
x | NULL | NULL | NULL | NULL | 2026-02-03
