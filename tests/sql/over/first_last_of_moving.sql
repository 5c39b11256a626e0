-- The first, second and last row of frames that move along.
--- use sales
--- sql
SELECT id, FIRST_VALUE(item) OVER w AS f, LAST_VALUE(item) OVER w AS l, NTH_VALUE(id, 3) OVER w AS n FROM sales WINDOW w AS (ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW);
--- rows
id | f | l | n
4 | cup | cup | NULL
2 | cup | ink | NULL
8 | cup | pen | 8
5 | ink | pen | 5
1 | pen | pen | 1
12 | pen | ink | 12
10 | pen | cup | 10
7 | ink | NULL | 7
3 | cup | ink | 3
9 | NULL | ink | 9
11 | ink | pen | 11
6 | ink | cup | 6
