-- Numbers in event time, which never change.
--- use sales
--- sql
SELECT id, ROW_NUMBER() OVER w AS rn, RANK() OVER w AS r, DENSE_RANK() OVER w AS dr FROM sales WINDOW w AS (PARTITION BY shop ORDER BY ts);
--- rows
id | rn | r | dr
5 | 1 | 1 | 1
9 | 2 | 2 | 2
4 | 1 | 1 | 1
1 | 2 | 2 | 2
7 | 3 | 3 | 3
3 | 4 | 4 | 4
11 | 5 | 5 | 5
2 | 1 | 1 | 1
8 | 2 | 2 | 2
12 | 3 | 3 | 3
6 | 4 | 4 | 4
10 | 1 | 1 | 1
