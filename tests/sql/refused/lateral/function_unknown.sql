-- A table function that there is not.
--- use baskets
--- sql
SELECT x FROM baskets CROSS JOIN LATERAL TABLE(SPLIX(tags, ',')) AS t (x);
--- error
LV-1004
SPLIX
line 1, column 48
did you mean
