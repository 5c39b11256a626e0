-- IN with a subquery is not supported yet on streams; batch does it.
--- use bids
--- sql
SELECT price FROM bids WHERE price IN (SELECT MAX(price) FROM bids);
--- error streaming
LV-1011
subquery
line 1
--- rows
price
9
