-- LIKE on a number.
--- use market
--- sql
SELECT price FROM bids WHERE price LIKE '1%';
--- error
LV-1008
LIKE compares texts, and is given INT and STRING
line 1, column 30
hint: use CAST(… AS STRING)
