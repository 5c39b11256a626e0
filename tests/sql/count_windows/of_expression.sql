-- Expressions of aggregates, of a window in a view, by two keys.
--- use ticks
--- sql
CREATE VIEW w AS SELECT *, qty > 1 AS more FROM ticks;
SELECT sym, more, window_end, SUM(price + id) / COUNT(*) AS x FROM TABLE(COUNT_TUMBLE(TABLE w PARTITION BY (sym, more) ORDER BY ts, SIZE => 2)) GROUP BY more, sym, window_end;
--- rows
sym | more | window_end | x
ash | false | 2 | 19
ash | false | 4 | 33
ash | true | 2 | 26
ash | true | 4 | 36
ash | true | 6 | 46
elm | false | 2 | 34
elm | false | 4 | 43
elm | false | 6 | 45
elm | true | 2 | 40
elm | true | 4 | 48
oak | false | 2 | 14
oak | false | 4 | 29
