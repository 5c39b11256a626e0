-- LAG, LEAD and moving frames over groups that change.
--- use bids
--- sql
SELECT bidder, m, LAG(m) OVER w AS before, LEAD(m, 1, 0) OVER w AS behind, SUM(m) OVER (ORDER BY bidder ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS around
FROM (SELECT bidder, MAX(price) AS m FROM bids GROUP BY bidder) WINDOW w AS (ORDER BY bidder);
--- rows
bidder | m | before | behind | around
10 | 9 | NULL | 7 | 16
11 | 7 | 9 | 7 | 23
12 | 7 | 7 | 0 | 14
