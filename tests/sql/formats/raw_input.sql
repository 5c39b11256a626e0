-- Each line as a text.
--- file t.txt
one, two
{"three": 3}
--- sql
CREATE TABLE t (line STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.txt', 'format' = 'raw');
SELECT line, CHAR_LENGTH(line) AS n FROM t;
--- rows
line | n
one, two | 8
{"three": 3} | 12
