-- Aggregates by key: nine of ten rows have one key.
-- long
CREATE TABLE sink (
  k BIGINT,
  n BIGINT,
  s BIGINT,
  m BIGINT
) WITH (${sink});

INSERT INTO sink
SELECT k, COUNT(*) AS n, SUM(i) AS s, MAX(i) AS m
FROM (SELECT i, CASE WHEN MOD(i, 10) <> 0 THEN 7 ELSE MOD(i * 982451653, 100000) END AS k FROM numbers)
GROUP BY k;
