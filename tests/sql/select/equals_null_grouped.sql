-- HAVING, FILTER and windows with a comparison that is never true.
--- use ticks
--- sql
SELECT sym, COUNT(*) FILTER (WHERE price = NULL) AS n, COUNT(*) AS m FROM ticks GROUP BY sym HAVING NOT (MAX(id) = NULL) OR sym = 'oak';
--- rows
sym | n | m
oak | 0 | 7
