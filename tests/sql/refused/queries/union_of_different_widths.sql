-- UNION of queries with different numbers of columns.
--- use market
--- sql
SELECT price, item FROM bids UNION ALL SELECT id FROM users;
--- error
LV-1018
the queries of UNION have different numbers of columns
line 1, column 47
hint: select as many columns on both sides; CAST(NULL AS type) stands for one that is missing
