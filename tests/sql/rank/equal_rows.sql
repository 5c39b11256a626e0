-- Rows that are equal in all columns have a number each.
--- file t.json
{"k": 1, "v": 5}
{"k": 1, "v": 5}
{"k": 1, "v": 5}
{"k": 1, "v": 4}
{"k": 2, "v": 5}
{"k": 2, "v": 5}
--- sql
CREATE TABLE t (k INT, v INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT k, v, rn FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v) AS rn FROM t) WHERE rn <= 3;
--- rows
k | v | rn
1 | 4 | 1
1 | 5 | 2
1 | 5 | 3
2 | 5 | 1
2 | 5 | 2
