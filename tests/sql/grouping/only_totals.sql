-- Nothing but sets without columns.
--- use sales
--- sql
SELECT COUNT(*) AS n, MAX(amount) AS m FROM sales GROUP BY GROUPING SETS ((), ());
--- rows
n | m
12 | 9
12 | 9
