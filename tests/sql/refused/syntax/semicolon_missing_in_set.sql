-- The last insert of a set without its semicolon.
--- use market
--- sql
EXECUTE STATEMENT SET BEGIN
INSERT INTO files SELECT auction, 1 FROM bids
END;
--- error
LV-1001
expected the end of the statement, found END
line 3, column 1
hint: a semicolon is missing in front of it
