-- UNNEST of several arrays at once.
--- use baskets
--- sql
SELECT id FROM baskets AS b CROSS JOIN UNNEST(b.tags, b.tags) AS u (x, y);
--- error
LV-10
UNNEST takes one array or map
line 1, column 40
