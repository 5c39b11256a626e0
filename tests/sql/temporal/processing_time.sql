-- In processing time a trade meets the rate that is there when it comes; in batch mode, the last one.
--- use rates
--- skip streaming: what is there when a row comes depends on how fast the tables are read
--- sql
SELECT t.id, r.rate FROM trades AS t
LEFT JOIN rates FOR SYSTEM_TIME AS OF t.pt AS r ON t.currency = r.currency AND r.rate <> 2;
--- rows
id | rate
1 | 115
2 | 115
3 | 101
4 | 115
5 | NULL
6 | NULL
7 | 115
8 | 101
9 | 115
10 | NULL
11 | 115
