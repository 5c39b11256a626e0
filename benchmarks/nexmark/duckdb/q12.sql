-- No processing time here: the bids of each bidder as if all fell into one window.
SELECT bidder, count(*) AS bid_count
FROM bid
GROUP BY bidder
