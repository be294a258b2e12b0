"""The main job: a trading day from the first deposit to a verified ledger.

Replays recorded or invented quotes, lets traders deposit, trade, get margin-called and withdraw
through the real engine, and ends with the laws of the database. Read `day` first; `traders` says
what the traders want, `progress` how an interrupted day is resumed, `summary` what is reported.
"""

from tradewright.demo.day import DayPlan, OnTurn, plan_day, run_day
from tradewright.demo.model import DayOptions, DaySummary

__all__ = ["DayOptions", "DayPlan", "DaySummary", "OnTurn", "plan_day", "run_day"]
