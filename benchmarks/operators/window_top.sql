-- Window Top-N: the three largest values of each hundredth of the keys in each second.
CREATE TABLE sink (
  window_end TIMESTAMP(3),
  h BIGINT,
  i BIGINT,
  v BIGINT,
  n BIGINT
) WITH (${sink});

INSERT INTO sink
SELECT window_end, h, i, v, n
FROM (
  SELECT window_end, h, i, v,
    ROW_NUMBER() OVER (PARTITION BY window_start, window_end, h ORDER BY v DESC, i) AS n
  FROM (
    SELECT window_start, window_end, MOD(k, 100) AS h, i, v
    FROM TABLE(TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '1' SECOND))
  )
)
WHERE n <= 3;
