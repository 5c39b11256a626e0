-- Each set of one with each of the other.
--- use sales
--- sql
SELECT shop, item, `open`, COUNT(*) AS n FROM sales GROUP BY ROLLUP (shop), GROUPING SETS ((item, `open`), (item));
--- rows
shop | item | open | n
NULL | ink | false | 1
NULL | pen | true | 1
a | NULL | false | 1
a | cup | false | 1
a | ink | NULL | 1
a | pen | true | 2
b | cup | true | 1
b | ink | NULL | 1
b | ink | false | 1
b | pen | true | 1
c | cup | true | 1
NULL | ink | NULL | 1
NULL | pen | NULL | 1
a | NULL | NULL | 1
a | cup | NULL | 1
a | ink | NULL | 1
a | pen | NULL | 2
b | cup | NULL | 1
b | ink | NULL | 2
b | pen | NULL | 1
c | cup | NULL | 1
NULL | NULL | false | 1
NULL | cup | false | 1
NULL | cup | true | 2
NULL | ink | NULL | 2
NULL | ink | false | 2
NULL | pen | true | 4
NULL | NULL | NULL | 1
NULL | cup | NULL | 3
NULL | ink | NULL | 4
NULL | pen | NULL | 4
