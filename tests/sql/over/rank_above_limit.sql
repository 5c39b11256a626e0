-- The ranks above a limit.
--- use bids
--- sql
SELECT price, rn FROM (
  SELECT price, DENSE_RANK() OVER (ORDER BY price) AS rn FROM bids
) WHERE rn > 6;
--- rows
price | rn
8 | 7
9 | 8
NULL | 9
