-- Aggregates by key: rows spread evenly over 100,000 keys.
-- long
CREATE TABLE sink (
  k BIGINT,
  n BIGINT,
  s BIGINT,
  m BIGINT
) WITH (${sink});

INSERT INTO sink
SELECT k, COUNT(*) AS n, SUM(i) AS s, MAX(i) AS m
FROM (SELECT i, MOD(i * 982451653, 100000) AS k FROM numbers)
GROUP BY k;
