-- Columns that stand in the names of folders.
--- file in/day=1/a.json
{"v": 1}
--- file in/day=2/a.json
{"v": 2}
{"v": 4}
--- sql
CREATE TABLE t (v INT, `day` INT) PARTITIONED BY (`day`) WITH ('connector' = 'filesystem', 'path' = '{dir}/in', 'format' = 'json');
SELECT `day`, SUM(v) AS s FROM t GROUP BY `day`;
--- rows
day | s
1 | 1
2 | 6
