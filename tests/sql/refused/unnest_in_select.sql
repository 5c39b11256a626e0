-- UNNEST as a function; batch does it.
--- use baskets
--- sql
SELECT id, UNNEST(tags) AS tag FROM baskets WHERE id = 1;
--- error streaming
LV-1011
UNNEST outside of FROM
line 1, column 12
--- rows
id | tag
1 | red
1 | blue
