-- Numbers begin anew in each partition, also in the one without a shop.
--- use sales
--- sql
SELECT id, RANK() OVER w AS r, DENSE_RANK() OVER w AS dr, PERCENT_RANK() OVER w AS pr, CUME_DIST() OVER w AS cd FROM sales WINDOW w AS (PARTITION BY shop ORDER BY amount DESC);
--- rows
id | r | dr | pr | cd
9 | 1 | 1 | 0.0 | 0.5
5 | 2 | 2 | 1.0 | 1.0
3 | 1 | 1 | 0.0 | 0.4
11 | 1 | 1 | 0.0 | 0.4
7 | 3 | 2 | 0.5 | 0.6
1 | 4 | 3 | 0.75 | 1.0
4 | 4 | 3 | 0.75 | 1.0
6 | 1 | 1 | 0.0 | 0.25
2 | 2 | 2 | 0.3333333333333333 | 0.75
8 | 2 | 2 | 0.3333333333333333 | 0.75
12 | 4 | 3 | 1.0 | 1.0
10 | 1 | 1 | 0.0 | 1.0
