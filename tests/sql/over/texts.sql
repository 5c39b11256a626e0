-- MIN and MAX of texts and dates in frames that move along.
--- use sales
--- sql
SELECT id, MIN(item) OVER w AS low, MAX(item) OVER w AS high, MAX(`day`) OVER w AS d FROM sales WINDOW w AS (ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW);
--- rows
id | low | high | d
4 | cup | cup | 2026-01-01
2 | cup | ink | 2026-01-01
8 | cup | pen | 2026-01-02
5 | ink | pen | 2026-01-02
1 | pen | pen | 2026-01-03
12 | ink | pen | 2026-01-03
10 | cup | pen | 2026-01-03
7 | cup | ink | 2026-01-05
3 | cup | ink | 2026-01-05
9 | ink | ink | 2026-01-06
11 | ink | pen | 2026-01-06
6 | cup | pen | 2026-01-06
