-- Aggregates with OVER are not supported yet on streams; batch does them.
--- use bids
--- sql
SELECT price,
  SUM(price) OVER (ORDER BY price) AS s FROM bids WHERE price < 6;
--- error streaming
LV-1011
SUM with OVER
line 2, column 3
ROW_NUMBER
--- rows
price | s
1 | 1
3 | 4
4 | 8
5 | 13
