-- Each element with its row; NULL is an element, an empty array has none.
--- use baskets
--- sql
SELECT id, tag FROM baskets CROSS JOIN UNNEST(tags) AS u (tag);
--- rows
id | tag
1 | red
1 | blue
4 | red
4 | NULL
4 | red
5 | green
