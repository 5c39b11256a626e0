-- A million keys, of which one in a hundred goes on to be touched.
-- long
CREATE TABLE sink (
  k BIGINT,
  n BIGINT,
  s BIGINT
) WITH (${sink});

INSERT INTO sink
SELECT k, COUNT(*) AS n, SUM(i) AS s
FROM (SELECT i, CASE WHEN i <= 1000000 THEN i ELSE MOD(i, 10000) END AS k FROM numbers)
GROUP BY k;
