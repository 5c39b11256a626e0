-- The entries of a map by their own names, and rows without any.
--- use baskets
--- sql
SELECT id, key, value FROM baskets LEFT JOIN UNNEST(prices) ON TRUE WHERE id < 5;
--- rows
id | key | value
1 | eur | 5
1 | usd | 6
2 | NULL | NULL
3 | NULL | NULL
4 | eur | NULL
