-- A position that SELECT does not have, in ORDER BY.
--- use market
--- sql
SELECT price FROM bids ORDER BY 4 LIMIT 2;
--- error
LV-1018
ORDER BY 4 means a column of SELECT by its position, and there are 1
line 1, column 33
hint: write the name of the column, or its expression
