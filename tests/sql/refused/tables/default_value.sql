-- A default value.
--- use market
--- sql
CREATE TABLE t (a INT DEFAULT 0) WITH ('connector' = 'print');
--- error
LV-1011
a DEFAULT value is not supported
line 1, column 23
hint: leave it out: rows are taken as they come; a computed column, such as c AS COALESCE(a, 0), can give a value
