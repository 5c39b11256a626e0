-- All columns, and the number behind them.
--- use sales
--- sql
SELECT * FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY id) AS rn FROM sales
) WHERE rn <= 1;
--- rows
id | shop | item | amount | price | open | day | ts | rn
1 | a | pen | 5 | 1.50 | true | 2026-01-03 | 2026-01-01 00:00:05 | 1
2 | b | ink | 7 | 2.25 | false | 2026-01-01 | 2026-01-01 00:00:02 | 1
5 | NULL | pen | 3 | 3.10 | true | NULL | 2026-01-01 00:00:04 | 1
10 | c | cup | 4 | 4.40 | true | 2026-01-03 | 2026-01-01 00:00:07.25 | 1
