-- Beside the table in FROM, with a condition on the element and one on the row.
--- use baskets
--- sql
SELECT id, tag FROM baskets AS b, UNNEST(b.tags) AS u (tag) WHERE tag = 'red' AND id > 1;
--- rows
id | tag
4 | red
4 | red
