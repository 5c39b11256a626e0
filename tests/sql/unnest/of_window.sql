-- Elements of rows that are in windows.
--- use baskets
--- sql
SELECT window_start, sku, SUM(n) AS pieces
FROM TABLE(TUMBLE(TABLE baskets, DESCRIPTOR(ts), INTERVAL '4' SECOND)) AS w CROSS JOIN UNNEST(w.items) AS i
GROUP BY window_start, window_end, sku;
--- rows
window_start | sku | pieces
2026-01-01 00:00:00 | a | 7
2026-01-01 00:00:00 | b | 1
2026-01-01 00:00:00 | NULL | 3
2026-01-01 00:00:04 | c | NULL
