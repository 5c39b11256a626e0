-- Two numbers in opposite orders.
--- use sales
--- sql
SELECT id FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS a, RANK() OVER (ORDER BY id DESC) AS b FROM sales) WHERE a <= 2 OR b <= 1;
--- rows
id
1
2
12
