-- A view cannot be written.
--- use market
--- sql
INSERT INTO cheap SELECT 1, 2;
--- error
LV-1018
cheap is a view, and a table is needed here
line 1, column 13
hint: SHOW TABLES and SHOW VIEWS tell which is which
