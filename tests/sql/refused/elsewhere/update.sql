-- UPDATE.
--- use market
--- sql
UPDATE users SET name = 'x';
--- error
LV-1011
the statement UPDATE is not supported
line 1, column 1
hint: tables are written by INSERT alone; in a table with a PRIMARY KEY a row replaces the one of its key
