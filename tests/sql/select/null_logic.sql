-- Three-valued logic: AND, OR, NOT over NULL.
--- file t.json
{"a": true, "b": null}
{"a": false, "b": null}
{"a": null, "b": null}
{"a": true, "b": false}
--- sql
CREATE TABLE t (a BOOLEAN, b BOOLEAN) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT a, b, a AND b AS both_, a OR b AS either, NOT a AS not_a, a = b AS equal, a IS DISTINCT FROM b AS differ FROM t;
--- rows
a | b | both_ | either | not_a | equal | differ
true | NULL | NULL | true | false | NULL | true
false | NULL | false | NULL | true | NULL | true
NULL | NULL | NULL | NULL | NULL | NULL | false
true | false | false | true | false | false | true
