from .compute import evaluate, select
from .missing import missing_column
from .values import Value, column_of_value

__all__ = ["Value", "column_of_value", "evaluate", "missing_column", "select"]
