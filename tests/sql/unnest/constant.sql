-- The same elements for each row, and of both kinds of elements each pair.
--- use baskets
--- sql
SELECT id, x, tag FROM baskets CROSS JOIN UNNEST(ARRAY[1, 2]) AS u (x) CROSS JOIN UNNEST(tags) AS v (tag) WHERE id IN (1, 2, 5);
--- rows
id | x | tag
1 | 1 | red
1 | 1 | blue
1 | 2 | red
1 | 2 | blue
5 | 1 | green
5 | 2 | green
