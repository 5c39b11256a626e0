-- Values within expressions.
--- use sales
--- sql
SELECT id, 10 * SUM(amount) OVER (PARTITION BY shop ORDER BY ts) + ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts) AS x FROM sales WHERE shop IS NOT NULL;
--- rows
id | x
4 | 51
1 | 102
7 | 183
3 | 274
11 | 365
2 | 71
8 | 142
12 | 163
6 | 164
10 | 41
