-- A running sum in event time; rows come out of order.
--- use sales
--- sql
SELECT id, shop, SUM(amount) OVER (PARTITION BY shop ORDER BY ts) AS s FROM sales;
--- rows
id | shop | s
5 | NULL | 3
9 | NULL | 9
4 | a | 5
1 | a | 10
7 | a | 18
3 | a | 27
11 | a | 36
2 | b | 7
8 | b | 14
12 | b | 16
6 | b | 16
10 | c | 4
