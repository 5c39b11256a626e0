-- WHERE keeps the rows whose condition is true; NULL is not true.
--- use bids
--- sql
SELECT auction, price FROM bids WHERE price > 5 AND item <> 'cup';
--- rows
auction | price
2 | 7
2 | 7
