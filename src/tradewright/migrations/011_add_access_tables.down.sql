-- Takes away the keys and the sessions: nobody comes in from outside any more.

DROP TABLE console_sessions;
DROP TABLE api_key_uses;
DROP TABLE api_key_revocations;
DROP TABLE api_keys;
