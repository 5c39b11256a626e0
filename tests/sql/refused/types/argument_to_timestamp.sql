-- A number where a text is needed.
--- use market
--- sql
SELECT TO_TIMESTAMP(price) FROM bids;
--- error
LV-1008
argument 1 of TO_TIMESTAMP must be STRING, not INT
line 1, column 8
