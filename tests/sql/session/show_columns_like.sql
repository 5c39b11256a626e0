-- Columns by pattern.
--- use bids
--- sql
SHOW COLUMNS FROM bids LIKE '%r%';
--- rows
name | type | null | key | extras | watermark
bidder | BIGINT | true | NULL | NULL | NULL
price | INT | true | NULL | NULL | NULL
