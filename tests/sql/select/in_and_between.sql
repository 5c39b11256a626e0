-- IN a list, NOT IN with a NULL in the list keeps nothing, BETWEEN includes both ends.
--- use bids
--- sql
SELECT price FROM bids WHERE auction IN (1, 3) AND price BETWEEN 3 AND 8
UNION ALL
SELECT price FROM bids WHERE auction NOT IN (1, NULL);
--- rows
price
5
3
8
