-- ALTER COLUMN of PostgreSQL.
--- use market
--- sql
ALTER TABLE bids ALTER COLUMN price TYPE BIGINT;
--- error
LV-1011
ALTER COLUMN is not supported
line 1, column 18
hint: write ALTER TABLE … MODIFY column type
