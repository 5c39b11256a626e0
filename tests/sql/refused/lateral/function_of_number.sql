-- A function that gives no array.
--- use baskets
--- sql
SELECT x FROM baskets CROSS JOIN LATERAL TABLE(ABS(id)) AS t (x);
--- error
LV-1008
ABS gives INT
line 1, column
