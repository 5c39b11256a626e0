-- INSERT of VALUES.
--- sql
CREATE TABLE out_ (a INT, b STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ VALUES (1, 'x'), (2, 'y'), (3, NULL);
--- rows out_
a | b
1 | x
2 | y
3 | NULL
