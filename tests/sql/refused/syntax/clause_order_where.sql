-- WHERE behind GROUP BY.
--- use market
--- sql
SELECT item, COUNT(*) FROM bids GROUP BY item WHERE price > 2;
--- error
LV-1001
expected the end of the statement, found WHERE
line 1, column 47
hint: clauses come in this order: SELECT, FROM, WHERE, GROUP BY, HAVING, QUALIFY, ORDER BY, LIMIT, OFFSET
