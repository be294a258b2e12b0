"""Let `python -m tradewright` be the command `tradewright`."""

from tradewright.cli.main import main

main()
