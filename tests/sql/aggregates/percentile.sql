-- PERCENTILE between two values, of several fractions, and with frequencies.
--- use keyed
--- sql
SELECT k, PERCENTILE(v, 0.5) AS m, PERCENTILE(v, 0.25) AS q, PERCENTILE(v, ARRAY[0.0, 1.0]) AS ends, PERCENTILE(v, 0.5, id) AS w, PERCENTILE(v, 1) FILTER (WHERE v < 30) AS f
FROM keyed GROUP BY k;
--- rows
k | m | q | ends | w | f
a | 10.0 | 7.5 | [5.0, 30.0] | 5.0 | 10.0
b | 20.0 | 20.0 | [20.0, 20.0] | 20.0 | 20.0
c | NULL | NULL | NULL | NULL | NULL
d | 1.0 | 1.0 | [1.0, 1.0] | 1.0 | 1.0
NULL | 7.5 | 7.25 | [7.0, 8.0] | 8.0 | 8.0
