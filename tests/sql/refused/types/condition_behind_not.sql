-- NOT of a number.
--- use market
--- sql
SELECT price FROM bids WHERE NOT price;
--- error
LV-1008
NOT needs a condition, and is given INT
line 1, column 34
hint: compare it with something, such as NOT x = 1
