-- UNNEST with USING.
--- use baskets
--- sql
SELECT id FROM baskets AS b JOIN UNNEST(b.tags) AS u (id) USING (id);
--- error
LV-1011
USING with UNNEST
line 1, column
