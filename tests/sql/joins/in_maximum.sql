-- IN with a subquery whose only row changes.
--- use bids
--- sql
SELECT price FROM bids WHERE price IN (SELECT MAX(price) FROM bids);
--- rows
price
9
