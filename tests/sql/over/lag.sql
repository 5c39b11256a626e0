-- LAG in event time, over several rows and with a default.
--- use sales
--- sql
SELECT id, LAG(amount) OVER w AS one, LAG(amount, 2) OVER w AS two, LAG(item, 1, 'none') OVER w AS item, LAG(amount, 0) OVER w AS own FROM sales WINDOW w AS (PARTITION BY shop ORDER BY ts);
--- rows
id | one | two | item | own
5 | NULL | NULL | none | 3
9 | 3 | NULL | pen | 6
4 | NULL | NULL | none | 5
1 | 5 | NULL | cup | 5
7 | 5 | 5 | pen | 8
3 | 8 | 5 | NULL | 9
11 | 9 | 8 | ink | 9
2 | NULL | NULL | none | 7
8 | 7 | NULL | ink | 7
12 | 7 | 7 | pen | 2
6 | 2 | 7 | ink | NULL
10 | NULL | NULL | none | 4
