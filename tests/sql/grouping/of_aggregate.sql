-- Over counts that change.
--- use sales
--- sql
SELECT n, m, COUNT(*) AS groups_ FROM (SELECT shop, COUNT(*) AS n, MAX(amount) AS m FROM sales GROUP BY shop, item) GROUP BY ROLLUP (n, m);
--- rows
n | m | groups_
1 | NULL | 1
1 | 3 | 1
1 | 4 | 1
1 | 5 | 1
1 | 6 | 1
1 | 7 | 1
1 | 8 | 1
1 | 9 | 1
2 | 7 | 1
2 | 9 | 1
1 | NULL | 8
2 | NULL | 2
NULL | NULL | 10
