-- JOIN without ON.
--- use market
--- sql
SELECT * FROM bids JOIN users WHERE bidder = id;
--- error
LV-1018
JOIN needs a condition
line 1, column 25
hint: write ON a.x = b.y or USING (x) behind the table; if every pair is meant, write CROSS JOIN
