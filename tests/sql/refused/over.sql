-- OVER is not supported yet on streams; batch does it.
--- use bids
--- sql
SELECT price, ROW_NUMBER() OVER (ORDER BY price) AS r FROM bids WHERE price < 4;
--- error streaming
LV-1011
OVER
line 1, column 15
--- rows
price | r
1 | 1
3 | 2
