"""One small file per tool: parse, call one function, print. Nothing numeric."""
