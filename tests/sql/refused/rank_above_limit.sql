-- A number must have an upper limit.
--- use bids
--- sql
SELECT price, rn FROM (
  SELECT price, DENSE_RANK() OVER (ORDER BY price) AS rn FROM bids
) WHERE rn > 6;
--- error streaming
LV-1011
DENSE_RANK() OVER without an upper limit
line 2, column 17
--- rows
price | rn
8 | 7
9 | 8
NULL | 9
