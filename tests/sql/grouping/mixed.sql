-- A column that all sets have.
--- use sales
--- sql
SELECT `open`, shop, COUNT(*) AS n FROM sales GROUP BY `open`, ROLLUP (shop);
--- rows
open | shop | n
NULL | a | 1
NULL | b | 1
false | NULL | 1
false | a | 2
false | b | 1
true | NULL | 1
true | a | 2
true | b | 2
true | c | 1
NULL | NULL | 2
false | NULL | 4
true | NULL | 6
