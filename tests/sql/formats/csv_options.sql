-- Another separator, another quote, a word for NULL, and comments.
--- whole
--- file t.csv
# a comment
1;'a;b'
2;nil
--- sql
CREATE TABLE t (a INT, s STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.csv', 'format' = 'csv',
  'csv.field-delimiter' = ';', 'csv.quote-character' = '''', 'csv.null-literal' = 'nil', 'csv.allow-comments' = 'true');
SELECT * FROM t;
--- rows
a | s
1 | a;b
2 | NULL
