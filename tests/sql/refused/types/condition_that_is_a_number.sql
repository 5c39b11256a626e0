-- WHERE with a number.
--- use market
--- sql
SELECT price FROM bids WHERE price;
--- error
LV-1008
a condition is needed, and bids.price is INT
line 1, column 30
hint: compare it with something, such as x > 0 or x IS NOT NULL
