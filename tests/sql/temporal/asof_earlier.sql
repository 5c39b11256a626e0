-- ASOF JOIN with an earlier row, and a subquery on the right, whose condition leaves rows out.
--- use rates
--- sql
SELECT t.id, r.rate FROM trades AS t
ASOF JOIN (SELECT currency AS c, rate, since FROM rate_log WHERE rate <> 120) AS r
MATCH_CONDITION (r.since < t.ts) ON r.c = t.currency
WHERE t.amount > 5;
--- rows
id | rate
1 | NULL
2 | NULL
4 | 112
5 | NULL
6 | NULL
7 | NULL
8 | 100
9 | 112
10 | NULL
11 | 115
