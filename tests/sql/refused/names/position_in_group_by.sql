-- A position that SELECT does not have, in GROUP BY.
--- use market
--- sql
SELECT item, COUNT(*) FROM bids GROUP BY 3;
--- error
LV-1018
GROUP BY 3 means a column of SELECT by its position, and there are 2
line 1, column 42
hint: write the name of the column, or its expression
