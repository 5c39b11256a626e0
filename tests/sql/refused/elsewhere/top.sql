-- TOP of SQL Server.
--- use market
--- sql
SELECT TOP 3 price FROM bids;
--- error
LV-1011
TOP is not supported
line 1, column 1
hint: use LIMIT
