-- The elements of what an element has.
--- use baskets
--- sql
SELECT id, sku, code FROM baskets CROSS JOIN UNNEST(items) AS i CROSS JOIN UNNEST(i.codes) AS c (code);
--- rows
id | sku | code
1 | a | 1
1 | a | 2
4 | a | 3
5 | c | 4
5 | c | NULL
