-- The number of each element.
--- use baskets
--- sql
SELECT id, tag, n FROM baskets CROSS JOIN UNNEST(tags) WITH ORDINALITY AS u (tag, n);
--- rows
id | tag | n
1 | red | 1
1 | blue | 2
4 | red | 1
4 | NULL | 2
4 | red | 3
5 | green | 1
