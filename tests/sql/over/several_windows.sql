-- Several windows in one SELECT.
--- use sales
--- sql
SELECT id, SUM(amount) OVER (PARTITION BY shop ORDER BY ts) AS of_shop, SUM(amount) OVER (PARTITION BY item ORDER BY ts) AS of_item, ROW_NUMBER() OVER (ORDER BY id DESC) AS back, COUNT(*) OVER (PARTITION BY shop) AS n FROM sales;
--- rows
id | of_shop | of_item | back | n
5 | 3 | 10 | 8 | 2
9 | 9 | 24 | 4 | 2
4 | 5 | 5 | 9 | 5
1 | 10 | 15 | 12 | 5
7 | 18 | 8 | 6 | 5
3 | 27 | 18 | 10 | 5
11 | 36 | 24 | 2 | 5
2 | 7 | 7 | 11 | 4
8 | 14 | 7 | 5 | 4
12 | 16 | 9 | 1 | 4
6 | 16 | 9 | 7 | 4
10 | 4 | 9 | 3 | 1
