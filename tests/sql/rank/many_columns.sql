-- Columns of many types come through.
--- use sales
--- sql
SELECT id, shop, item, amount, price, `open`, `day`, ts FROM sales QUALIFY ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts DESC) <= 2;
--- rows
id | shop | item | amount | price | open | day | ts
3 | a | ink | 9 | 0.75 | NULL | 2026-01-02 | 2026-01-01 00:00:09
5 | NULL | pen | 3 | 3.10 | true | NULL | 2026-01-01 00:00:04
6 | b | cup | NULL | 0.05 | true | 2026-01-04 | 2026-01-01 00:00:12
9 | NULL | ink | 6 | 2.25 | false | 2026-01-06 | 2026-01-01 00:00:10
10 | c | cup | 4 | 4.40 | true | 2026-01-03 | 2026-01-01 00:00:07.25
11 | a | pen | 9 | 9.99 | true | 2026-01-04 | 2026-01-01 00:00:11
12 | b | ink | 2 | 2.20 | NULL | NULL | 2026-01-01 00:00:06
