-- Names of variables and columns in another case.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  partition by SYM order by TS
  measures LAST(a.Price) as P
  pattern (A B)
  define a as A.PRICE < 20, b as b.price > A.price
) AS m;
--- rows
sym | P
ash | 12
ash | 14
ash | 19
oak | 4
