-- LIMIT into files.
--- use sales
--- sql
CREATE TABLE out_ (word STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ SELECT 'row' FROM sales LIMIT 4 OFFSET 1;
--- rows out_
word
row
row
row
row
