-- The first true branch counts; without ELSE there is NULL.
--- use bids
--- sql
SELECT price, CASE WHEN price >= 7 THEN 'high' WHEN price >= 4 THEN 'middle' WHEN price IS NULL THEN 'none' END AS class
FROM bids;
--- rows
price | class
5 | middle
7 | high
3 | NULL
9 | high
NULL | none
4 | middle
6 | middle
7 | high
1 | NULL
8 | high
