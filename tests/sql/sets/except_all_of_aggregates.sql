-- Of counts that change, on either side.
--- use sales
--- sql
SELECT COUNT(*) AS n FROM sales GROUP BY shop, item EXCEPT ALL SELECT COUNT(*) FROM sales GROUP BY shop;
--- rows
n
1
1
1
1
1
1
1
2
