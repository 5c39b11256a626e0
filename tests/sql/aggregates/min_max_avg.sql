-- MIN, MAX and AVG of a group.
--- use keyed
--- sql
SELECT k, MIN(v) AS low, MAX(v) AS high, AVG(v) AS mean, MIN(d) AS dl, MAX(d) AS dh FROM keyed GROUP BY k;
--- rows
k | low | high | mean | dl | dh
a | 5 | 30 | 15.0 | 1.50 | 10.00
b | 20 | 20 | 20.0 | -1.00 | 2.25
c | NULL | NULL | NULL | 0.75 | 0.75
d | 1 | 1 | 1.0 | 100.01 | 100.01
NULL | 7 | 8 | 7.5 | 3.10 | 3.10
