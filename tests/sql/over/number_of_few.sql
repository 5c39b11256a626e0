-- ROW_NUMBER without an upper limit gives all rows their numbers.
--- use bids
--- sql
SELECT price, ROW_NUMBER() OVER (ORDER BY price) AS r FROM bids WHERE price < 4;
--- rows
price | r
1 | 1
3 | 2
