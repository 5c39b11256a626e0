-- MATCH_RECOGNIZE: values of a key that fall and then rise.
CREATE TABLE sink (
  k BIGINT,
  first_i BIGINT,
  low BIGINT,
  last_i BIGINT
) WITH (${sink});

INSERT INTO sink
SELECT k, first_i, low, last_i
FROM readings MATCH_RECOGNIZE (
  PARTITION BY k
  ORDER BY ts
  MEASURES A.i AS first_i, LAST(B.v) AS low, C.i AS last_i
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (A B+ C)
  DEFINE
    B AS (LAST(B.v, 1) IS NULL AND B.v < A.v) OR B.v < LAST(B.v, 1),
    C AS C.v > LAST(B.v)
);
