-- Three streams joined on one key, which each of them has once.
CREATE TABLE sink (
  k BIGINT,
  a BIGINT,
  b BIGINT,
  c BIGINT
) WITH (${sink});

INSERT INTO sink
SELECT a.k, a.i AS a, b.i AS b, c.i AS c
FROM (SELECT i / 3 AS k, i FROM numbers WHERE MOD(i, 3) = 0) AS a
LEFT JOIN (SELECT i / 3 AS k, i FROM numbers WHERE MOD(i, 3) = 1) AS b ON a.k = b.k
LEFT JOIN (SELECT i / 3 AS k, i FROM numbers WHERE MOD(i, 3) = 2) AS c ON a.k = c.k;
