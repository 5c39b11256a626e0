-- A foreign key.
--- use market
--- sql
CREATE TABLE t (a INT, FOREIGN KEY (a) REFERENCES users (id)) WITH ('connector' = 'print');
--- error
LV-1011
a FOREIGN KEY constraint is not supported
line 1, column 24
hint: leave it out: rows are taken as they come; a computed column, such as c AS COALESCE(a, 0), can give a value
