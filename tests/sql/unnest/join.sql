-- Elements are joined with a table.
--- use baskets
--- sql
SELECT id, name, n FROM baskets AS b CROSS JOIN UNNEST(b.items) AS i LEFT JOIN goods AS g ON i.sku = g.sku;
--- rows
id | name | n
1 | apple | 2
1 | bread | 1
4 | apple | 5
4 | NULL | NULL
4 | NULL | 3
5 | NULL | NULL
