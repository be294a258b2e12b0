"""Which book an order goes to, and whose price it deals on.

Pure decisions: the house's own book (B) or a provider (A), and how a quantity is spread over the
providers' levels. The client's price never depends on the book.
"""

from tradewright.routing.rules import Allocation, Book, allocate

__all__ = ["Allocation", "Book", "allocate"]
