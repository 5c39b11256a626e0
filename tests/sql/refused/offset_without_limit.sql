-- OFFSET of a stream needs a LIMIT; batch does without.
--- use bids
--- sql
SELECT price FROM bids WHERE price IS NOT NULL
ORDER BY price OFFSET 6;
--- error streaming
LV-1011
OFFSET without LIMIT
execution.runtime-mode
--- rows
price
7
8
9
