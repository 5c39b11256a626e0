-- Numbers that count up by themselves.
--- use market
--- sql
CREATE TABLE t (id INT AUTO_INCREMENT, a INT) WITH ('connector' = 'print');
--- error
LV-1011
AUTO_INCREMENT is not supported
line 1, column 24
hint: leave it out: rows are taken as they come; a computed column, such as c AS COALESCE(a, 0), can give a value
