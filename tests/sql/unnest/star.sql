-- Without an alias an element is called after the call, with one like it.
--- use baskets
--- sql
SELECT * FROM (SELECT id, tags FROM baskets WHERE id = 1) AS b CROSS JOIN UNNEST(tags) CROSS JOIN UNNEST(tags) AS tag;
--- rows
id | tags | UNNEST(tags) | tag
1 | [red, blue] | red | red
1 | [red, blue] | red | blue
1 | [red, blue] | blue | red
1 | [red, blue] | blue | blue
