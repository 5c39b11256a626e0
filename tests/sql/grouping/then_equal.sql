-- A condition behind the sets on a column that some do not have.
--- use sales
--- sql
SELECT shop, item, n FROM (SELECT shop, item, COUNT(*) AS n FROM sales GROUP BY CUBE (shop, item)) WHERE item = 'pen';
--- rows
shop | item | n
NULL | pen | 1
a | pen | 2
b | pen | 1
NULL | pen | 4
