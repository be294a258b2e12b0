-- Takes away the risk tables with all that they record.

DROP TABLE circuit_breaker_events;
DROP TABLE circuit_breakers;
DROP TABLE stop_outs;
DROP TABLE margin_calls;
DROP TABLE risk_breaches;
DROP TABLE trading_halts;
DROP TABLE risk_limits;
DROP TABLE margin_tiers;
DROP TABLE trading_sessions;
DROP TRIGGER routing_overrides_count_reference ON routing_overrides;
DROP TRIGGER routing_rules_count_reference ON routing_rules;
DROP TRIGGER routing_policies_count_reference ON routing_policies;
DROP TRIGGER provider_corrections_raise_alerts ON provider_corrections;
DROP FUNCTION raise_alert();
DROP TABLE alerts;
DROP FUNCTION tell_alert();
DROP TRIGGER account_groups_count_reference ON account_groups;
DROP TRIGGER commission_terms_count_reference ON commission_terms;
DROP TRIGGER instruments_count_reference ON instruments;
DROP TRIGGER trading_days_count_reference ON trading_days;
DROP TRIGGER engines_count_reference ON engines;
DROP FUNCTION hold_reference_version();
DROP FUNCTION count_reference_version();
DROP TABLE reference_version;
