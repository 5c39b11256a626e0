-- An aggregate in WHERE.
--- use market
--- sql
SELECT item FROM bids WHERE COUNT(*) > 1 GROUP BY item;
--- error
LV-1018
the aggregate COUNT cannot stand in WHERE
line 1, column 29
hint: conditions on aggregates are those of HAVING
