-- OVER: the sum of the last 20 rows of each key.
CREATE TABLE sink (
  i BIGINT,
  k BIGINT,
  s BIGINT
) WITH (${sink});

INSERT INTO sink
SELECT i, k, SUM(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 19 PRECEDING AND CURRENT ROW) AS s
FROM readings;
