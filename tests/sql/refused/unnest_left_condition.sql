-- LEFT JOIN UNNEST with a condition.
--- use baskets
--- sql
SELECT id FROM baskets AS b LEFT JOIN UNNEST(b.tags) AS u (tag) ON tag = 'red';
--- error
LV-1011
LEFT JOIN UNNEST
line 1, column
