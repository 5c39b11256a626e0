-- Numbers that a row to come may change.
--- use sales
--- sql
SELECT id, shop, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts DESC) AS n FROM sales;
--- rows
id | shop | n
9 | NULL | 1
5 | NULL | 2
11 | a | 1
3 | a | 2
7 | a | 3
1 | a | 4
4 | a | 5
6 | b | 1
12 | b | 2
8 | b | 3
2 | b | 4
10 | c | 1
