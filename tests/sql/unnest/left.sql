-- A row without elements comes once.
--- use baskets
--- sql
SELECT id, tag FROM baskets LEFT JOIN UNNEST(tags) AS u (tag) ON TRUE;
--- rows
id | tag
1 | red
1 | blue
2 | NULL
3 | NULL
4 | red
4 | NULL
4 | red
5 | green
