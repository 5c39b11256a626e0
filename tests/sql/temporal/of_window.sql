-- Left rows of an aggregation by windows, as of the last moment of the window.
--- use rates
--- sql
SELECT w.window_end, w.currency, w.total, r.rate FROM (
  SELECT window_start, window_end, window_time, currency, SUM(amount) AS total
  FROM TABLE(TUMBLE(TABLE trades, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  GROUP BY window_start, window_end, window_time, currency
) AS w LEFT JOIN rates FOR SYSTEM_TIME AS OF w.window_time AS r ON w.currency = r.currency;
--- rows
window_end | currency | total | rate
2026-01-01 00:00:10 | EUR | 60 | 112
2026-01-01 00:00:10 | GBP | 8 | NULL
2026-01-01 00:00:10 | NULL | 7 | NULL
2026-01-01 00:00:10 | USD | 5 | 100
2026-01-01 00:00:20 | EUR | 50 | 120
2026-01-01 00:00:20 | USD | 6 | 101
2026-01-01 00:00:30 | JPY | 9 | 2
2026-01-01 00:00:40 | EUR | 60 | 115
