-- A running sum in the order of prices.
--- use bids
--- sql
SELECT price,
  SUM(price) OVER (ORDER BY price) AS s FROM bids WHERE price < 6;
--- rows
price | s
1 | 1
3 | 4
4 | 8
5 | 13
