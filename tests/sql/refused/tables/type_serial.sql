-- A type of PostgreSQL that counts up.
--- use market
--- sql
CREATE TABLE t (id SERIAL, a INT) WITH ('connector' = 'print');
--- error
LV-1012
SERIAL is not a type
line 1, column 20
hint: use BIGINT; nothing counts up by itself
