-- The elements of an expression over the row.
--- use baskets
--- sql
SELECT id, x FROM baskets CROSS JOIN UNNEST(ARRAY[id, id * 10]) AS u (x) WHERE id < 3;
--- rows
id | x
1 | 1
1 | 10
2 | 2
2 | 20
