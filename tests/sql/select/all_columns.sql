-- SELECT * gives the columns in the order of the declaration.
--- use bids
--- sql
SELECT * FROM bids;
--- rows
auction | bidder | price | item | ts
1 | 10 | 5 | pen | 2026-01-01 00:00:01
2 | 11 | 7 | ink | 2026-01-01 00:00:04
1 | 11 | 3 | pen | 2026-01-01 00:00:02
1 | 10 | 9 | NULL | 2026-01-01 00:00:11
3 | 12 | NULL | cup | 2026-01-01 00:00:08
2 | 10 | 4 | ink | 2026-01-01 00:00:12.5
NULL | 11 | 6 | cup | 2026-01-01 00:00:15
2 | 12 | 7 | ink | 2026-01-01 00:00:19.999
1 | 12 | 1 | pen | 2026-01-01 00:00:20
3 | 10 | 8 | cup | 2026-01-01 00:00:33
