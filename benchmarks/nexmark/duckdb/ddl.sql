-- The same JSON lines for DuckDB. Each view names just its own object, so that its reader may skip
-- the others. ${path} is the input's folder, put in by levada-bench.
CREATE VIEW person AS
SELECT person.*
FROM read_json('${path}/*.json', format = 'newline_delimited', columns = {
  event_type: 'INTEGER',
  person: 'STRUCT(id BIGINT, name VARCHAR, emailAddress VARCHAR, creditCard VARCHAR, city VARCHAR,
                  state VARCHAR, dateTime TIMESTAMP, extra VARCHAR)'})
WHERE event_type = 0;

CREATE VIEW auction AS
SELECT auction.*
FROM read_json('${path}/*.json', format = 'newline_delimited', columns = {
  event_type: 'INTEGER',
  auction: 'STRUCT(id BIGINT, itemName VARCHAR, description VARCHAR, initialBid BIGINT,
                   reserve BIGINT, dateTime TIMESTAMP, expires TIMESTAMP, seller BIGINT,
                   category BIGINT, extra VARCHAR)'})
WHERE event_type = 1;

CREATE VIEW bid AS
SELECT bid.*
FROM read_json('${path}/*.json', format = 'newline_delimited', columns = {
  event_type: 'INTEGER',
  bid: 'STRUCT(auction BIGINT, bidder BIGINT, price BIGINT, channel VARCHAR, url VARCHAR,
               dateTime TIMESTAMP, extra VARCHAR)'})
WHERE event_type = 2;
