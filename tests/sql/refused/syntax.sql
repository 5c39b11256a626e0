-- A word that does not belong there.
--- sql
SELECT 1 FORM t;
--- error
LV-1001
line 1, column 10
