-- OVER: the sum of the last second of each key.
CREATE TABLE sink (
  i BIGINT,
  k BIGINT,
  s BIGINT
) WITH (${sink});

INSERT INTO sink
SELECT i, k, SUM(v) OVER (
  PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' SECOND PRECEDING AND CURRENT ROW
) AS s
FROM readings;
