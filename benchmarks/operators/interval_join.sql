-- An interval join: half of the rows, each with what the other half has of its key within a fiftieth of a second before.
CREATE TABLE sink (
  i BIGINT,
  j BIGINT
) WITH (${sink});

INSERT INTO sink
SELECT a.i, b.i AS j
FROM (SELECT i, ts, k FROM readings WHERE MOD(i, 2) = 0) AS a
JOIN (SELECT i, ts, MOD(k + 1, 1000) AS k FROM readings WHERE MOD(i, 2) = 1) AS b
ON a.k = b.k AND a.ts BETWEEN b.ts AND b.ts + INTERVAL '0.02' SECOND;
