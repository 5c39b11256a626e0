-- A join of the elements with a table, beside the table that they are of.
--- use baskets
--- sql
SELECT id, name, n, tag FROM baskets AS b, UNNEST(b.items) AS i JOIN goods AS g ON i.sku = g.sku, UNNEST(b.tags) AS t (tag) WHERE tag IS NOT NULL;
--- rows
id | name | n | tag
1 | apple | 2 | red
1 | apple | 2 | blue
1 | bread | 1 | red
1 | bread | 1 | blue
4 | apple | 5 | red
4 | apple | 5 | red
