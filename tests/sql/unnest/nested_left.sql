-- Elements of elements, and what has none.
--- use baskets
--- sql
SELECT id, k, sku, code FROM baskets
LEFT JOIN UNNEST(items) WITH ORDINALITY AS i (sku, n, codes, k) ON TRUE
LEFT JOIN UNNEST(codes) AS code ON TRUE;
--- rows
id | k | sku | code
1 | 1 | a | 1
1 | 1 | a | 2
1 | 2 | b | NULL
2 | NULL | NULL | NULL
3 | NULL | NULL | NULL
4 | 1 | a | 3
4 | 2 | NULL | NULL
4 | 3 | NULL | NULL
5 | 1 | c | 4
5 | 1 | c | NULL
