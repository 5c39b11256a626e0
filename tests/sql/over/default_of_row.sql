-- The default of LAG can be computed from the row itself.
--- use sales
--- skip batch: DataFusion wants a constant there
--- sql
SELECT id, LAG(amount, 1, 0 - id) OVER (PARTITION BY shop ORDER BY ts) AS before FROM sales;
--- rows
id | before
4 | -4
1 | 5
7 | 5
3 | 8
11 | 9
2 | -2
8 | 7
12 | 7
6 | 2
5 | -5
9 | 3
10 | -10
