-- UNNEST of a column that there is not.
--- use baskets
--- sql
SELECT id FROM baskets AS b CROSS JOIN UNNEST(b.tagz) AS u (tag);
--- error
LV-1003
tagz
line 1, column 47
