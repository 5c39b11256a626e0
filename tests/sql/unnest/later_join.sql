-- The elements of a table that stands in front of another one.
--- use baskets
--- sql
SELECT id, name, tag FROM baskets AS b, goods AS g CROSS JOIN UNNEST(b.tags) AS t (tag) WHERE g.sku = 'd' AND id IN (1, 2);
--- rows
id | name | tag
1 | dates | red
1 | dates | blue
