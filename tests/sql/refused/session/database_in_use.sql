-- The current database cannot be dropped.
--- use market
--- sql
DROP DATABASE default_database;
--- error
LV-1018
database default_database is the current one
line 1, column 15
hint: USE another one first
