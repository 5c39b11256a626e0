-- The time of the left table stays a time attribute behind the join.
--- use rates
--- sql
WITH priced AS (
  SELECT t.ts, t.currency, t.amount * r.rate AS price FROM trades AS t
  JOIN rates FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency
)
SELECT window_start, currency, SUM(price) AS total
FROM TABLE(TUMBLE(TABLE priced, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY window_start, window_end, currency;
--- rows
window_start | currency | total
2026-01-01 00:00:00 | EUR | 5560
2026-01-01 00:00:00 | USD | 500
2026-01-01 00:00:10 | EUR | 5600
2026-01-01 00:00:10 | USD | 594
2026-01-01 00:00:20 | JPY | 18
2026-01-01 00:00:30 | EUR | 6900
