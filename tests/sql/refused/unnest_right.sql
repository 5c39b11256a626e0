-- The elements are those of a row on the left.
--- use baskets
--- sql
SELECT id FROM baskets AS b RIGHT JOIN UNNEST(b.tags) AS u (tag) ON TRUE;
--- error
LV-1011
RIGHT or FULL JOIN with UNNEST
line 1, column 40
