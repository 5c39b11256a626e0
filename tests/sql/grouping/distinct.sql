-- Distinct values of each group.
--- use sales
--- sql
SELECT shop, `open`, COUNT(DISTINCT item) AS items, SUM(amount) FILTER (WHERE item = 'pen') AS pens FROM sales GROUP BY CUBE (shop, `open`);
--- rows
shop | open | items | pens
NULL | false | 1 | NULL
NULL | true | 1 | 3
a | NULL | 1 | NULL
a | false | 1 | NULL
a | true | 1 | 14
b | NULL | 1 | NULL
b | false | 1 | NULL
b | true | 2 | 7
c | true | 1 | NULL
NULL | NULL | 2 | 3
a | NULL | 3 | 14
b | NULL | 3 | 7
c | NULL | 1 | NULL
NULL | NULL | 1 | NULL
NULL | false | 2 | NULL
NULL | true | 2 | 24
NULL | NULL | 3 | 24
