-- A condition on the elements stands behind the rows that have none.
--- use baskets
--- sql
SELECT id, tag, n FROM baskets LEFT JOIN UNNEST(tags) WITH ORDINALITY AS u (tag, n) ON TRUE WHERE tag IS NULL AND id > 2;
--- rows
id | tag | n
3 | NULL | NULL
4 | NULL | 2
