-- An INSERT without a query.
--- use market
--- sql
INSERT INTO files (auction, n);
--- error
LV-1001
expected SELECT, WITH or VALUES, found the end of the statement
line 1, column 31
