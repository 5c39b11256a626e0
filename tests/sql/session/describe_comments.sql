-- Comments of columns are shown where there are any.
--- sql
CREATE TABLE t (a INT COMMENT 'first', b INT) WITH ('connector' = 'print');
DESCRIBE t;
--- rows
name | type | null | key | extras | watermark | comment
a | INT | true | NULL | NULL | NULL | first
b | INT | true | NULL | NULL | NULL | NULL
