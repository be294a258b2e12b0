-- Takes away the margin calls and stop-outs with all that they record.

DROP TABLE stop_outs;
DROP TABLE margin_calls;
