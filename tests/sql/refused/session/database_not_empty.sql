-- A database with tables in it.
--- use market
--- sql
CREATE DATABASE d;
CREATE TABLE d.t (a INT) WITH ('connector' = 'print');
DROP DATABASE d;
--- error
LV-1018
database d has t
line 3, column 15
hint: DROP DATABASE … CASCADE drops the tables, views and functions too
