-- Aggregates of all values, and variance, in TUMBLE.
--- use bids
--- sql
SELECT window_start, FIRST_VALUE(item) FILTER (WHERE price IN (5, 9, 4)) AS f, LISTAGG(item) FILTER (WHERE price = 7) AS items, ARRAY_SORT(ARRAY_AGG(price)) AS prices,
  ROUND(VAR_POP(price), 6) AS v, PERCENTILE(price, 0.5) AS m
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- rows
window_start | f | items | prices | v | m
2026-01-01 00:00:00 | pen | ink | [NULL, 3, 5, 7] | 2.666667 | 5.0
2026-01-01 00:00:10 | ink | ink | [4, 6, 7, 9] | 3.25 | 6.5
2026-01-01 00:00:20 | NULL | NULL | [1] | 0.0 | 1.0
2026-01-01 00:00:30 | NULL | NULL | [8] | 0.0 | 8.0
