-- HAVING in front of GROUP BY.
--- use market
--- sql
SELECT item, COUNT(*) FROM bids HAVING COUNT(*) > 1 GROUP BY item;
--- error
LV-1001
expected the end of the statement, found GROUP
line 1, column 53
hint: clauses come in this order: SELECT, FROM, WHERE, GROUP BY, HAVING, QUALIFY, ORDER BY, LIMIT, OFFSET
