-- Measures and arguments are expressions, over several variables too.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES LAST(A.price * 2) + B.price AS x, SUM(A.price * A.qty) AS s, UPPER(sym) || '!' AS t, LAST(COALESCE(A.qty, 0) + 100, 1) AS c, CASE WHEN B.price > A.price THEN 'up' ELSE 'down' END AS d
  PATTERN (A A B)
  DEFINE A AS A.price + 1 < 22
) AS m;
--- rows
sym | x | s | t | c | d
ash | 44 | 33 | ASH! | 101 | down
ash | 53 | 46 | ASH! | 101 | up
oak | 16 | 10 | OAK! | 101 | up
