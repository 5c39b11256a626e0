-- A condition of the join.
--- use baskets
--- sql
SELECT id, sku, n FROM baskets AS b JOIN UNNEST(b.items) AS i ON i.n > 1 AND b.id < 5;
--- rows
id | sku | n
1 | a | 2
4 | a | 5
4 | NULL | 3
