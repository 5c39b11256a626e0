-- Aggregates by key and window: nine of ten rows have one key.
-- long
CREATE TABLE sink (
  k BIGINT,
  window_end TIMESTAMP_LTZ(3),
  n BIGINT,
  s BIGINT
) WITH (${sink});

CREATE VIEW keyed AS SELECT i, ts, CASE WHEN MOD(i, 10) <> 0 THEN 7 ELSE MOD(i * 982451653, 100000) END AS k FROM numbers;

INSERT INTO sink
SELECT k, window_end, COUNT(*) AS n, SUM(i) AS s
FROM TABLE(TUMBLE(TABLE keyed, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY k, window_start, window_end;
