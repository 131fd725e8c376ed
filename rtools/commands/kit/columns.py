"""Which columns of a table mean what, as it is typed."""

__all__ = ["parsed_columns"]


def parsed_columns(ctx, param, value):
    """Callback of an option: ``ra=ALPHA,dec=DELTA`` as a dict, None where it is not given."""
    if value is None:
        return None
    from rtools.products.tables.column_names import parse_columns

    return parse_columns(value, option=param.opts[0])
