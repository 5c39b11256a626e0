-- Sums and averages of decimals are exact.
--- use keyed
--- sql
SELECT k, SUM(d) AS s, AVG(d) AS mean FROM keyed GROUP BY k;
--- rows
k | s | mean
a | 11.50 | 5.750000
b | 1.25 | 0.625000
c | 0.75 | 0.750000
d | 100.01 | 100.010000
NULL | 3.10 | 3.100000
