-- Functions over several partitions and orders in one SELECT.
--- use sales
--- sql
SELECT id, SUM(amount) OVER (PARTITION BY shop ORDER BY ts) AS by_shop, COUNT(*) OVER (PARTITION BY item ORDER BY ts) AS by_item, ROW_NUMBER() OVER (ORDER BY ts) AS n FROM sales;
--- rows
id | by_shop | by_item | n
5 | 3 | 2 | 4
9 | 9 | 4 | 10
4 | 5 | 1 | 1
1 | 10 | 3 | 5
7 | 18 | 1 | 8
3 | 27 | 3 | 9
11 | 36 | 4 | 11
2 | 7 | 1 | 2
8 | 14 | 1 | 3
12 | 16 | 2 | 6
6 | 16 | 3 | 12
10 | 4 | 2 | 7
