-- ASOF JOIN without a condition beside the times: the last rate of any currency.
--- use rates
--- sql
SELECT t.id, r.currency, r.rate FROM trades AS t
ASOF JOIN rate_log AS r MATCH_CONDITION (t.ts > r.since) WHERE t.id <> 7;
--- rows
id | currency | rate
1 | NULL | NULL
2 | USD | 100
3 | EUR | 110
4 | EUR | 112
5 | EUR | 108
6 | EUR | 110
8 | CHF | 90
9 | USD | 101
10 | EUR | 120
11 | EUR | 115
