-- More state than memory: a count and a text of 128 letters for each key, found again half the input
-- later, in an order that has nothing to do with that of the keys.
-- long
CREATE TABLE sink (
  k BIGINT,
  n BIGINT,
  p VARCHAR
) WITH (${sink});

INSERT INTO sink
SELECT k, COUNT(*) AS n, MAX(SHA512(CAST(k AS VARCHAR))) AS p
FROM (SELECT MOD(i * 982451653, ${keys}) AS k FROM numbers)
GROUP BY k;
