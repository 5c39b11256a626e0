-- CASCADE drops what is in a database, too.
--- sql
CREATE DATABASE d;
CREATE TABLE d.t (a INT) WITH ('connector' = 'print');
DROP DATABASE d CASCADE;
SELECT * FROM d.t;
--- error
LV-1017
database d does not exist
line 4, column 15
