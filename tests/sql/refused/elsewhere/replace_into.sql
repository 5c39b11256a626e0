-- REPLACE INTO of MySQL.
--- use market
--- sql
REPLACE INTO files VALUES (1, 2);
--- error
LV-1011
the statement REPLACE is not supported
line 1, column 1
hint: tables are written by INSERT alone; in a table with a PRIMARY KEY a row replaces the one of its key
