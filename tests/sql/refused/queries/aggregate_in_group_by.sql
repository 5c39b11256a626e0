-- An aggregate in GROUP BY.
--- use market
--- sql
SELECT COUNT(*) FROM bids GROUP BY SUM(price);
--- error
LV-1018
the aggregate SUM cannot stand in GROUP BY
line 1, column 36
hint: group by columns or expressions of one row
