-- AND with a text.
--- use market
--- sql
SELECT price FROM bids WHERE price > 3 AND item;
--- error
LV-1008
AND and OR join conditions, and are given BOOLEAN AND STRING
line 1, column 30
hint: write a condition on both sides, such as a > 1 AND b = 'x'
