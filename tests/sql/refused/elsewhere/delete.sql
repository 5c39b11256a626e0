-- DELETE.
--- use market
--- sql
DELETE FROM bids WHERE price > 3;
--- error
LV-1011
the statement DELETE is not supported
line 1, column 1
hint: tables are written by INSERT alone; in a table with a PRIMARY KEY a row replaces the one of its key
