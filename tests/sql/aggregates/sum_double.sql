-- Doubles, with values that add up without error.
--- file t.json
{"k": 1, "d": 0.5}
{"k": 1, "d": 0.25}
{"k": 1, "d": -4.0}
{"k": 2, "d": null}
--- sql
CREATE TABLE t (k INT, d DOUBLE) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT k, SUM(d) AS s, AVG(d) AS a, MIN(d) AS low, MAX(d) AS high FROM t GROUP BY k;
--- rows
k | s | a | low | high
1 | -3.25 | -1.0833333333333333 | -4.0 | 0.5
2 | NULL | NULL | NULL | NULL
