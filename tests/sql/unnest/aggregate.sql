-- Elements are counted; without a column of theirs too.
--- use baskets
--- sql
SELECT tag, COUNT(*) AS n, MAX(id) AS last FROM baskets CROSS JOIN UNNEST(tags) AS u (tag) GROUP BY tag
UNION ALL SELECT 'all', COUNT(*), NULL FROM baskets, UNNEST(tags) AS u (tag);
--- rows
tag | n | last
red | 3 | 4
blue | 1 | 1
NULL | 1 | 4
green | 1 | 5
all | 6 | NULL
