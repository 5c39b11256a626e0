-- ORDER BY of a stream is not supported yet; batch does it.
--- use bids
--- sql
SELECT price FROM bids WHERE price IS NOT NULL ORDER BY price DESC LIMIT 2;
--- error streaming
LV-1011
ORDER BY
line 1
--- rows
price
9
8
