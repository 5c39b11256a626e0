-- Values with OVER in a subquery of IN.
--- use sales
--- sql
SELECT id FROM sales WHERE id IN (SELECT LAG(id) OVER (PARTITION BY shop ORDER BY ts) FROM sales);
--- rows
id
1
2
3
4
5
7
8
12
