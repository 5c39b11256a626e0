-- UNION ALL keeps duplicates and takes the wider type.
--- use bids
--- sql
SELECT auction AS n FROM bids WHERE auction = 3
UNION ALL
SELECT price FROM bids WHERE price > 6
UNION ALL
SELECT price FROM bids WHERE price = 8;
--- rows
n
3
3
7
9
7
8
8
