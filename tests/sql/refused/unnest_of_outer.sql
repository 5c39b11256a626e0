-- UNNEST of a column of the outer query.
--- use baskets
--- sql
SELECT id FROM baskets AS b WHERE EXISTS (SELECT 1 FROM UNNEST(b.tags) AS u (tag) WHERE tag = 'red');
--- error
LV-1011
UNNEST of a column
line 1, column
