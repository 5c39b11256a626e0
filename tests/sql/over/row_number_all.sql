-- Numbers of all rows.
--- use sales
--- sql
SELECT id, shop, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts) AS n FROM sales;
--- rows
id | shop | n
5 | NULL | 1
9 | NULL | 2
4 | a | 1
1 | a | 2
7 | a | 3
3 | a | 4
11 | a | 5
2 | b | 1
8 | b | 2
12 | b | 3
6 | b | 4
10 | c | 1
