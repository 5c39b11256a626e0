-- An expression as a column.
--- use sales
--- sql
SELECT UPPER(shop) AS shop, CHAR_LENGTH(item) AS l, COUNT(*) AS n FROM sales GROUP BY ROLLUP (UPPER(shop), CHAR_LENGTH(item));
--- rows
shop | l | n
NULL | 3 | 2
A | NULL | 1
A | 3 | 4
B | 3 | 4
C | 3 | 1
NULL | NULL | 2
A | NULL | 5
B | NULL | 4
C | NULL | 1
NULL | NULL | 12
