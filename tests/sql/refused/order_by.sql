-- ORDER BY of a stream needs a LIMIT; batch does without.
--- use bids
--- sql
SELECT price FROM bids WHERE price > 6 ORDER BY price DESC;
--- error streaming
LV-1011
ORDER BY without LIMIT
line 1
--- rows
price
9
8
7
7
