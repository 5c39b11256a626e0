-- Files take inserts only.
--- use market
--- skip batch: batch has no updates, so the insert is fine there
--- sql
INSERT INTO files SELECT auction, COUNT(*) FROM bids GROUP BY auction;
--- error streaming
LV-1018
the connector 'filesystem' takes inserts only, but the query updates or deletes rows
line 1, column 13
hint: write to a connector that takes updates, or aggregate by windows, which only insert
