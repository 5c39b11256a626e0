-- A comma too many at the end of a table.
--- use market
--- sql
CREATE TABLE t (a INT, b INT,) WITH ('connector' = 'print');
--- error
LV-1001
expected a name, found )
line 1, column 30
hint: the comma in front of it is one too many
