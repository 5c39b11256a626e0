-- LIMIT in front of ORDER BY.
--- use market
--- sql
SELECT price FROM bids LIMIT 3 ORDER BY price;
--- error
LV-1001
expected the end of the statement, found ORDER
line 1, column 32
hint: clauses come in this order: SELECT, FROM, WHERE, GROUP BY, HAVING, QUALIFY, ORDER BY, LIMIT, OFFSET
