"""What the constraints of the database refuse, by name, in the house's errors."""

from collections.abc import Mapping
from types import MappingProxyType

from tradewright.core.errors import ErrorCode, InputError, MoneyError, RetryableError, StateError
from tradewright.postgres.function_refusals import Refusal

_INSTRUMENT_TERMS = (
    "instruments_asset_class_known",
    "instruments_commission_per_million_within_trade",
    "instruments_contract_size_positive",
    "instruments_currencies_differ",
    "instruments_leverage_max_in_range",
    "instruments_leverage_max_retail_in_range",
    "instruments_leverage_max_retail_within_class",
    "instruments_price_tick_positive",
    "instruments_quantity_max_not_below_min",
    "instruments_quantity_min_on_step",
    "instruments_quantity_step_positive",
    "instruments_quote_age_ms_max_positive",
    "instruments_symbol_is_capitals_or_digits",
)

_BREAKER_TERMS = (
    "circuit_breaker_events_actor_not_empty",
    "circuit_breaker_events_reason_not_empty",
    "circuit_breakers_code_is_plain",
    "circuit_breakers_code_unique",
    "circuit_breakers_cooldown_seconds_in_range",
    "circuit_breakers_measure_something",
    "circuit_breakers_money_has_currency",
    "circuit_breakers_reset_seconds_in_range",
    "circuit_breakers_shares_within_all",
    "circuit_breakers_threshold_positive",
    "circuit_breakers_window_seconds_in_range",
)

_PAYMENT_LIMIT_TERMS = (
    "payment_limits_amount_max_not_negative",
    "payment_limits_daily_max_not_below_amount_max",
    "payment_limits_kyc_level_in_range",
    "payment_limits_rolling_max_not_below_daily_max",
)

_PROVIDER_TERMS = (
    "liquidity_providers_code_is_plain",
    "liquidity_providers_priority_not_negative",
    "provider_connections_heartbeat_seconds_in_range",
    "provider_connections_host_not_empty",
    "provider_connections_port_in_range",
    "provider_connections_sender_comp_id_printable",
    "provider_connections_target_comp_id_printable",
)

_SWAP_TERMS = (
    "swap_terms_grace_nights_in_range",
    "swap_terms_long_rate_finite",
    "swap_terms_settlement_days_in_range",
    "swap_terms_short_rate_finite",
    "swap_terms_swap_free_fee_not_negative",
)

_ROUTING_TERMS = (
    "routing_overrides_a_percent_in_range",
    "routing_overrides_actor_not_empty",
    "routing_overrides_halt_passes_all_on",
    "routing_overrides_kind_known",
    "routing_overrides_reason_not_empty",
    "routing_policies_default_percent_in_range",
    "routing_policies_exposure_from_not_negative",
    "routing_policies_exposure_has_both_ends",
    "routing_policies_exposure_limit_positive",
    "routing_policies_exposure_rises",
    "routing_policies_hedge_target_below_limit",
    "routing_policies_hedge_target_has_its_limit",
    "routing_policies_reject_prone_bps_not_negative",
    "routing_policies_short_hold_bps_not_negative",
    "routing_policies_size_from_not_negative",
    "routing_policies_size_has_both_ends",
    "routing_policies_size_rises",
    "routing_policies_toxicity_from_not_negative",
    "routing_policies_toxicity_has_both_ends",
    "routing_policies_toxicity_rises",
    "routing_policies_volatility_from_not_negative",
    "routing_policies_volatility_has_both_ends",
    "routing_policies_volatility_rises",
    "routing_policies_win_bps_not_negative",
    "routing_rules_a_percent_in_range",
    "routing_rules_client_class_known",
    "routing_rules_quantities_in_order",
    "routing_rules_quantity_max_positive",
    "routing_rules_quantity_min_positive",
)
"""What a policy, a rule or an override may say; each name is the truth that held."""

_KEY_TERMS = (
    "api_key_revocations_reason_not_empty",
    "api_key_revocations_revoked_by_not_empty",
    "api_keys_created_by_not_empty",
    "api_keys_expires_after_it_was_made",
    "api_keys_name_has_length",
    "api_keys_reason_not_empty",
    "api_keys_scopes_known",
)

_ARCHIVE_TERMS = (
    "audit_retention_grace_days_in_range",
    "audit_retention_months_online_in_range",
    "audit_retention_months_total_in_range",
    "audit_retention_total_beyond_online",
)

CONSTRAINT_REFUSALS: Mapping[str, Refusal] = MappingProxyType(
    {
        **dict.fromkeys(_KEY_TERMS, (InputError, ErrorCode.ACCESS_KEY_MALFORMED)),
        "api_key_revocations_key_exists": (InputError, ErrorCode.ACCESS_KEY_UNKNOWN),
        "api_key_revocations_once": (StateError, ErrorCode.ACCESS_KEY_REVOKED),
        "api_keys_user_exists": (InputError, ErrorCode.USER_UNKNOWN),
        **dict.fromkeys(_INSTRUMENT_TERMS, (InputError, ErrorCode.INSTRUMENT_TERMS_MALFORMED)),
        **dict.fromkeys(_BREAKER_TERMS, (InputError, ErrorCode.BREAKER_MALFORMED)),
        **dict.fromkeys(_PAYMENT_LIMIT_TERMS, (InputError, ErrorCode.PAYMENT_LIMIT_MALFORMED)),
        **dict.fromkeys(_PROVIDER_TERMS, (InputError, ErrorCode.PROVIDER_MALFORMED)),
        **dict.fromkeys(_ARCHIVE_TERMS, (InputError, ErrorCode.ARCHIVE_TERMS_MALFORMED)),
        "audit_holds_months_in_order": (InputError, ErrorCode.ARCHIVE_HOLD_MALFORMED),
        **dict.fromkeys(_SWAP_TERMS, (InputError, ErrorCode.SWAP_TERMS_MALFORMED)),
        "instruments_base_currency_exists": (InputError, ErrorCode.INPUT_CURRENCY_UNKNOWN),
        "instruments_quote_currency_exists": (InputError, ErrorCode.INPUT_CURRENCY_UNKNOWN),
        **dict.fromkeys(_ROUTING_TERMS, (InputError, ErrorCode.ROUTING_TERMS_MALFORMED)),
        "account_groups_code_is_plain": (InputError, ErrorCode.ACCOUNT_GROUP_MALFORMED),
        "account_groups_us_is_fifo": (InputError, ErrorCode.ACCOUNT_GROUP_MALFORMED),
        "commission_terms_currency_exists": (InputError, ErrorCode.INPUT_CURRENCY_UNKNOWN),
        "commission_terms_group_exists": (InputError, ErrorCode.ACCOUNT_GROUP_UNKNOWN),
        "commission_terms_instrument_exists": (InputError, ErrorCode.INSTRUMENT_UNKNOWN),
        "commission_terms_minimum_not_negative": (
            InputError,
            ErrorCode.COMMISSION_TERMS_MALFORMED,
        ),
        "commission_terms_of_somebody_or_something": (
            InputError,
            ErrorCode.COMMISSION_TERMS_MALFORMED,
        ),
        "commission_terms_rate_not_negative": (InputError, ErrorCode.COMMISSION_TERMS_MALFORMED),
        "commission_terms_rate_within_trade": (InputError, ErrorCode.COMMISSION_TERMS_MALFORMED),
        "accounts_group_exists": (InputError, ErrorCode.ACCOUNT_GROUP_UNKNOWN),
        "accounts_leverage_in_range": (InputError, ErrorCode.ACCOUNT_TERMS_MALFORMED),
        "accounts_margin_call_above_stop_out": (InputError, ErrorCode.ACCOUNT_TERMS_MALFORMED),
        "accounts_stop_out_level_positive": (InputError, ErrorCode.ACCOUNT_TERMS_MALFORMED),
        "accounts_user_exists": (InputError, ErrorCode.USER_UNKNOWN),
        "available_money_not_negative": (MoneyError, ErrorCode.MONEY_INSUFFICIENT_FUNDS),
        "balance_ledger_transaction_once": (MoneyError, ErrorCode.MONEY_IDEMPOTENCY_CONFLICT),
        "exchange_rates_are_of_the_past": (InputError, ErrorCode.INPUT_INSTANT_FUTURE),
        "exchange_rates_base_currency_exists": (InputError, ErrorCode.INPUT_CURRENCY_UNKNOWN),
        "exchange_rates_currencies_differ": (InputError, ErrorCode.EXCHANGE_RATE_MALFORMED),
        "exchange_rates_quote_currency_exists": (InputError, ErrorCode.INPUT_CURRENCY_UNKNOWN),
        "exchange_rates_rate_positive": (InputError, ErrorCode.EXCHANGE_RATE_MALFORMED),
        "hold_purpose_known": (InputError, ErrorCode.INPUT_PURPOSE_UNKNOWN),
        "house_accounts_code_known": (InputError, ErrorCode.INPUT_HOUSE_UNKNOWN),
        "instruments_margin_rate_is_a_share": (InputError, ErrorCode.MARGIN_TERMS_MALFORMED),
        "instruments_margin_rate_min_retail_is_a_share": (
            InputError,
            ErrorCode.MARGIN_TERMS_MALFORMED,
        ),
        "margin_calls_account_exists": (InputError, ErrorCode.ACCOUNT_UNKNOWN),
        "margin_tiers_instrument_exists": (InputError, ErrorCode.INSTRUMENT_UNKNOWN),
        "margin_tiers_notional_above_positive": (InputError, ErrorCode.MARGIN_TERMS_MALFORMED),
        "margin_tiers_rate_is_a_share": (InputError, ErrorCode.MARGIN_TERMS_MALFORMED),
        "orders_account_exists": (InputError, ErrorCode.ACCOUNT_UNKNOWN),
        "orders_client_order_id_once_per_account": (
            RetryableError,
            ErrorCode.DATABASE_SERIALIZATION_FAILED,
        ),
        "orders_instrument_exists": (InputError, ErrorCode.INSTRUMENT_UNKNOWN),
        "payment_transactions_approver_is_another": (
            StateError,
            ErrorCode.PAYMENT_APPROVAL_REFUSED,
        ),
        "payment_transactions_currency_exists": (InputError, ErrorCode.INPUT_CURRENCY_UNKNOWN),
        "payment_claims_pkey": (RetryableError, ErrorCode.DATABASE_SERIALIZATION_FAILED),
        "payment_claims_reference_once": (MoneyError, ErrorCode.MONEY_IDEMPOTENCY_CONFLICT),
        "payment_transactions_pkey": (RetryableError, ErrorCode.DATABASE_SERIALIZATION_FAILED),
        "payment_transactions_reference_once": (
            MoneyError,
            ErrorCode.MONEY_IDEMPOTENCY_CONFLICT,
        ),
        "payment_transactions_user_exists": (InputError, ErrorCode.USER_UNKNOWN),
        "risk_limits_account_exists": (InputError, ErrorCode.ACCOUNT_UNKNOWN),
        "risk_limits_currency_exists": (InputError, ErrorCode.INPUT_CURRENCY_UNKNOWN),
        "risk_limits_group_exists": (InputError, ErrorCode.ACCOUNT_GROUP_UNKNOWN),
        "risk_limits_instrument_exists": (InputError, ErrorCode.INSTRUMENT_UNKNOWN),
        "risk_limits_denials_are_of_accounts": (InputError, ErrorCode.RISK_LIMIT_MALFORMED),
        "risk_limits_money_has_currency": (InputError, ErrorCode.RISK_LIMIT_MALFORMED),
        "risk_limits_scope_names_its_target": (InputError, ErrorCode.RISK_LIMIT_MALFORMED),
        "risk_limits_value_not_negative": (InputError, ErrorCode.RISK_LIMIT_MALFORMED),
        "idx_routing_overrides_kind_symbol_user_id_open": (
            StateError,
            ErrorCode.ROUTING_OVERRIDE_EXISTS,
        ),
        "routing_overrides_instrument_exists": (InputError, ErrorCode.INSTRUMENT_UNKNOWN),
        "routing_overrides_user_exists": (InputError, ErrorCode.USER_UNKNOWN),
        "routing_policies_instrument_exists": (InputError, ErrorCode.INSTRUMENT_UNKNOWN),
        "routing_rules_instrument_exists": (InputError, ErrorCode.INSTRUMENT_UNKNOWN),
        "routing_rules_user_exists": (InputError, ErrorCode.USER_UNKNOWN),
        "circuit_breakers_currency_exists": (InputError, ErrorCode.INPUT_CURRENCY_UNKNOWN),
        "circuit_breakers_instrument_exists": (InputError, ErrorCode.INSTRUMENT_UNKNOWN),
        "idx_trading_halts_scope_in_force": (StateError, ErrorCode.TRADING_HALT_EXISTS),
        "trading_halts_account_exists": (InputError, ErrorCode.ACCOUNT_UNKNOWN),
        "trading_halts_group_exists": (InputError, ErrorCode.ACCOUNT_GROUP_UNKNOWN),
        "trading_halts_instrument_exists": (InputError, ErrorCode.INSTRUMENT_UNKNOWN),
        "trading_halts_say_who_and_why": (InputError, ErrorCode.TRADING_HALT_MALFORMED),
        "trading_sessions_instrument_exists": (InputError, ErrorCode.INSTRUMENT_UNKNOWN),
        "rollover_holidays_currency_exists": (InputError, ErrorCode.INPUT_CURRENCY_UNKNOWN),
        "suspense_items_currency_exists": (InputError, ErrorCode.INPUT_CURRENCY_UNKNOWN),
        "suspense_items_one_per_payment": (StateError, ErrorCode.PAYMENT_SUSPENSE_REFUSED),
        "idx_suspense_returns_item_id_unfailed": (
            StateError,
            ErrorCode.PAYMENT_SUSPENSE_RETURN_REFUSED,
        ),
        "suspense_returns_pkey": (RetryableError, ErrorCode.DATABASE_SERIALIZATION_FAILED),
        "swap_terms_currency_exists": (InputError, ErrorCode.INPUT_CURRENCY_UNKNOWN),
        "swap_terms_instrument_exists": (InputError, ErrorCode.INSTRUMENT_UNKNOWN),
        "swap_terms_pkey": (StateError, ErrorCode.SWAP_TERMS_SET),
        "user_balances_currency_exists": (InputError, ErrorCode.INPUT_CURRENCY_UNKNOWN),
        "user_balances_user_exists": (InputError, ErrorCode.USER_UNKNOWN),
        "users_email_has_one_at": (InputError, ErrorCode.USER_MALFORMED),
        "users_email_in_small_letters": (InputError, ErrorCode.USER_MALFORMED),
        "users_email_unique": (StateError, ErrorCode.USER_EXISTS),
        "users_kyc_level_in_range": (InputError, ErrorCode.USER_MALFORMED),
        "user_roles_user_exists": (InputError, ErrorCode.USER_UNKNOWN),
    }
)
"""Constraint name → what it means that the constraint held, where a caller may meet it."""
