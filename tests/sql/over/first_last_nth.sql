-- FIRST_VALUE, LAST_VALUE and NTH_VALUE of frames.
--- use sales
--- sql
SELECT id, FIRST_VALUE(amount) OVER w AS f, LAST_VALUE(amount) OVER w AS l, NTH_VALUE(amount, 2) OVER w AS n,
  LAST_VALUE(id) OVER (PARTITION BY shop ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS whole
FROM sales WINDOW w AS (PARTITION BY shop ORDER BY ts);
--- rows
id | f | l | n | whole
5 | 3 | 3 | NULL | 9
9 | 3 | 6 | 6 | 9
4 | 5 | 5 | NULL | 11
1 | 5 | 5 | 5 | 11
7 | 5 | 8 | 5 | 11
3 | 5 | 9 | 5 | 11
11 | 5 | 9 | 5 | 11
2 | 7 | 7 | NULL | 12
8 | 7 | 7 | 7 | 12
12 | 7 | 2 | 7 | 12
6 | 7 | NULL | 7 | 12
10 | 4 | 4 | NULL | 10
