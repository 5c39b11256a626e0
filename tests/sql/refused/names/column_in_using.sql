-- A column of USING that one table does not have.
--- use market
--- sql
SELECT * FROM bids JOIN users USING (bidder);
--- error
LV-1003
USING names bidder, which the right side of the join does not have
line 1, column 38
hint: USING takes columns of one name in both tables; else write ON a.x = b.y
