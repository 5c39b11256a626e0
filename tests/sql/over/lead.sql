-- LEAD looks ahead, and LAG with a negative distance does.
--- use sales
--- sql
SELECT id, LEAD(amount) OVER w AS one, LEAD(amount, 2, -1) OVER w AS two, LAG(amount, -1) OVER w AS back FROM sales WINDOW w AS (PARTITION BY shop ORDER BY ts);
--- rows
id | one | two | back
5 | 6 | -1 | 6
9 | NULL | -1 | NULL
4 | 5 | 8 | 5
1 | 8 | 9 | 8
7 | 9 | 9 | 9
3 | 9 | -1 | 9
11 | NULL | -1 | NULL
2 | 7 | 2 | 7
8 | 2 | NULL | 2
12 | NULL | -1 | NULL
6 | NULL | -1 | NULL
10 | NULL | -1 | NULL
