-- The entries of a map.
--- use baskets
--- sql
SELECT id, currency, price FROM baskets CROSS JOIN UNNEST(prices) AS p (currency, price);
--- rows
id | currency | price
1 | eur | 5
1 | usd | 6
4 | eur | NULL
5 | usd | 7
5 | gbp | 8
