-- Of counts that change.
--- use sales
--- sql
SELECT COUNT(*) AS n FROM sales GROUP BY shop INTERSECT ALL SELECT COUNT(*) FROM sales GROUP BY item;
--- rows
n
4
1
