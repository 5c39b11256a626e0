-- Names of the clause are those of the tables in front, in any case; columns of the right table get other names.
--- use rates
--- sql
SELECT x.ID, r.c, r.v FROM (SELECT id, Currency, ts FROM trades WHERE id IN (4, 8)) AS x
JOIN Rates FOR SYSTEM_TIME AS OF X.TS AS r(c, v, f) ON x.currency = r.C;
--- rows
id | c | v
4 | EUR | 112
8 | USD | 99
