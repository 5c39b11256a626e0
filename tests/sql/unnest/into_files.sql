-- Elements into files.
--- use baskets
--- sql
CREATE TABLE out_ (id INT, n INT, tag STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ SELECT id, n, tag FROM baskets CROSS JOIN UNNEST(tags) WITH ORDINALITY AS u (tag, n);
--- rows out_
id | n | tag
1 | 1 | red
1 | 2 | blue
4 | 1 | red
4 | 2 | NULL
4 | 3 | red
5 | 1 | green
