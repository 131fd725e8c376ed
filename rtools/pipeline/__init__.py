"""The chains: which step runs for which exposure type, and the engine that runs them."""
