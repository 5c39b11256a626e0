-- SIMILAR TO is about the whole text; % and _ are what they are in LIKE.
--- file t.json
{"s": "abc"}
{"s": "abcd"}
{"s": "a.c"}
--- sql
CREATE TABLE t (s STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT s, s SIMILAR TO 'b' AS part, s SIMILAR TO 'a_c' AS one, s SIMILAR TO 'a%' AS more, s SIMILAR TO 'a.c' AS dot, s NOT SIMILAR TO '(a|b)+(c|cd)' AS no FROM t;
--- rows
s | part | one | more | dot | no
abc | false | true | true | false | false
abcd | false | false | true | false | false
a.c | false | true | true | true | true
