-- UNNEST of what has no elements.
--- use baskets
--- sql
SELECT x FROM baskets AS b CROSS JOIN UNNEST(b.id) AS u (x);
--- error
LV-1008
not INT
line 1, column
