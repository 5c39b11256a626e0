-- An aggregate in a computed column.
--- use market
--- sql
CREATE TABLE t (a INT, b AS SUM(a)) WITH ('connector' = 'print');
--- error
LV-1018
an aggregate cannot stand here, where an expression sees one row
line 1, column 29
