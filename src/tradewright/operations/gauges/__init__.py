"""What a house looks like from outside, as figures to be watched: one small query for each."""

from tradewright.operations.gauges.model import Gauge, Reading
from tradewright.operations.gauges.service import GAUGES, read_gauges

__all__ = ["GAUGES", "Gauge", "Reading", "read_gauges"]
